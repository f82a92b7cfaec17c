// Keys made ahead: who holds which, and that a key is used once whoever believes to hold it.
#include "store/key_pool_store.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <mutex>
#include <set>
#include <thread>

#include "sample_record.h"
#include "support/temporary_directory.h"

using namespace store_test;
using hsmsigner::Deadline;
using hsmsigner::ErrorKind;
using hsmsigner::KeyAlgorithm;
using hsmsigner::KeyClass;
using hsmsigner::UnixTime;
using hsmsigner::Uuid;
using hsmsigner::store::KeyPoolStore;
using hsmsigner::store::PoolClaim;
using hsmsigner::store::PoolKeyRecord;
using hsmsigner::store::PoolLevel;
using std::chrono::seconds;

namespace {

constexpr const char* kToken = "0123456789abcdef";
const KeyClass kP256{KeyAlgorithm::ec_p256, true};
const KeyClass kExportable{KeyAlgorithm::ec_p256, false};
const UnixTime kNow{seconds(1'000'000)};
const UnixTime kEnd = kNow + seconds(60);
const hsmsigner::audit::Event kEvent{.kind = hsmsigner::audit::EventKind::pool_filled};

PoolKeyRecord pool_key(const KeyClass& key_class = kP256) {
  const Uuid id = Uuid::random();
  return {.id = id,
          .key_class = key_class,
          .public_key_pem = "PEM of " + id.to_string(),
          .key = {.token_label = "token",
                  .token_serial = kToken,
                  .id = hsmsigner::to_hex(id.bytes()),
                  .type = "EC",
                  .bits = 256,
                  .sensitive = true,
                  .always_sensitive = true,
                  .extractable = !key_class.block_export,
                  .never_extractable = key_class.block_export,
                  .local = true},
          .created_at = UnixTime(seconds(7))};
}

struct Fixture {
  test_support::TemporaryDirectory directory;
  std::string path = directory.file("db");
  std::unique_ptr<Store> one = Store::open({.path = path, .readers = 2});
  std::unique_ptr<Store> two = Store::open({.path = path, .readers = 2});

  static std::vector<Uuid> add(Store& store, std::size_t count, KeyPoolStore::Hold hold,
                               const KeyClass& key_class = kP256) {
    std::vector<PoolKeyRecord> keys;
    std::vector<Uuid> ids;
    for (std::size_t i = 0; i < count; ++i) {
      keys.push_back(pool_key(key_class));
      ids.push_back(keys.back().id);
    }
    store.key_pool().plan(kToken, ids, soon());
    store.key_pool().add(keys, hold, kEvent, soon());
    return ids;
  }
  static std::vector<PoolKeyRecord> take(Store& store, std::size_t most, UnixTime now = kNow) {
    return store.key_pool().take(kToken, kP256, most, now, soon());
  }
  // What a request does at its end with a key that it believes to hold.
  static std::optional<ErrorKind> use(Store& store, const Uuid& id) {
    CertificateRecord record = sample_record("of " + id.to_string());
    record.id = id;
    record.issuer_id.reset();
    record.fingerprint_sha256 = id.to_string();
    const PoolClaim claim{id, store.key_pool().owner()};
    return kind_of([&] { store.certificates().insert(record, soon(), {.pool_key = &claim}); });
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a key comes back from the pool as it went in, and its event is in the journal") {
  const PoolKeyRecord key = pool_key(kExportable);
  one->key_pool().plan(kToken, {key.id}, soon());
  one->key_pool().add({key}, KeyPoolStore::Hold::nobody, kEvent, soon());
  const auto found = one->key_pool().find(key.id);
  REQUIRE(found.has_value());
  CHECK((found->key_class == kExportable));
  CHECK(found->public_key_pem == key.public_key_pem);
  CHECK(found->key.id == key.key.id);
  CHECK(found->key.token_serial == kToken);
  CHECK(found->key.extractable);
  CHECK_FALSE(found->key.never_extractable);
  CHECK(found->created_at == key.created_at);
  CHECK(one->journal().last_of(hsmsigner::audit::EventKind::pool_filled).has_value());
  CHECK(one->key_pool().ids() == std::vector<Uuid>{key.id});
  CHECK(one->key_pool().tokens() == std::vector<std::string>{kToken});
  // Of another class, and of another token, there is none.
  one->key_pool().renew(kNow, kEnd, soon());
  CHECK(take(*one, 10).empty());
  CHECK(one->key_pool().take("other", kExportable, 10, kNow, soon()).empty());
}

TEST_CASE_FIXTURE(Fixture, "a key is added under its plan, once, and never beside another record") {
  const auto adding = [&](Store& store, const PoolKeyRecord& key) {
    return kind_of([&] { store.key_pool().add({key}, KeyPoolStore::Hold::own, kEvent, soon()); });
  };
  const PoolKeyRecord key = pool_key();
  CHECK((adding(*one, key) == ErrorKind::object_not_present));
  one->key_pool().plan(kToken, {key.id}, soon());
  CHECK((adding(*two, key) == ErrorKind::object_not_present));  // another one's plan
  CHECK_FALSE(adding(*one, key).has_value());
  CHECK((adding(*one, key) == ErrorKind::object_not_unique));
  PoolKeyRecord same = pool_key();
  const CertificateRecord certificate = sample_record("x");
  insert(*one, certificate);
  same.id = certificate.id;
  one->key_pool().plan(kToken, {same.id}, soon());
  CHECK((adding(*one, same) == ErrorKind::object_not_unique));
  CHECK(one->key_pool().ids().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a certificate under a plan ends it, and only for who has planned it") {
  one->key_pool().renew(kNow, kEnd, soon());
  const std::vector<Uuid> ids{Uuid::random(), Uuid::random(), Uuid::random()};
  one->key_pool().plan(kToken, ids, soon());
  CHECK((use(*two, ids[0]) == ErrorKind::object_not_present));
  CHECK_FALSE(use(*one, ids[0]).has_value());
  CHECK((use(*one, ids[0]) == ErrorKind::object_not_present));
  CHECK(two->key_pool().take_plans(kToken, kNow, soon()).empty());
  CHECK(two->key_pool().take_plans("other", kEnd + seconds(1), soon()).empty());
  CHECK(two->key_pool().take_plans(kToken, kEnd + seconds(1), soon()).size() == 2);
  CHECK((use(*one, ids[1]) == ErrorKind::object_not_present));
  one->key_pool().end_plans({ids[1]}, nullptr, soon());  // another one's
  CHECK_FALSE(use(*two, ids[1]).has_value());
  two->key_pool().end_plans({ids[2]}, nullptr, soon());
  CHECK((use(*two, ids[2]) == ErrorKind::object_not_present));
}

TEST_CASE_FIXTURE(Fixture, "what one instance holds nobody else takes, until its lease is over or given back") {
  CHECK_FALSE(one->key_pool().renew(kNow, kEnd, soon()));
  CHECK(one->key_pool().renew(kNow, kEnd, soon()));
  CHECK_FALSE(two->key_pool().renew(kNow, kEnd + seconds(60), soon()));
  add(*one, 3, KeyPoolStore::Hold::nobody);
  CHECK(take(*one, 2).size() == 2);
  CHECK(take(*two, 5).size() == 1);
  CHECK(take(*two, 5).empty());
  CHECK(take(*two, 5, kEnd).empty());  // the last second of the lease belongs to its holder
  const std::vector<PoolLevel> levels = one->key_pool().levels(kToken, kNow);
  REQUIRE(levels.size() == 1);
  CHECK(levels[0].all == 3);
  CHECK(levels[0].held == 3);
  CHECK(levels[0].own == 2);
  CHECK(one->key_pool().held(kToken).size() == 2);

  CHECK(take(*two, 5, kEnd + seconds(1)).size() == 2);
  CHECK(one->key_pool().held(kToken).empty());
  // Its renewal tells the stalled one that it must read anew.
  CHECK_FALSE(one->key_pool().renew(kEnd + seconds(1), kEnd + seconds(60), soon()));

  two->key_pool().renew(kEnd + seconds(1), kEnd + seconds(60), soon());
  CHECK(take(*one, 5, kEnd + seconds(2)).empty());
  two->key_pool().release(soon());
  CHECK(take(*one, 5, kEnd + seconds(2)).size() == 3);
}

TEST_CASE_FIXTURE(Fixture, "a key that was taken over is not its former holder's to use, to withdraw or to destroy") {
  one->key_pool().renew(kNow, kEnd, soon());
  const Uuid id = add(*one, 1, KeyPoolStore::Hold::own)[0];
  two->key_pool().renew(kNow, kEnd + seconds(60), soon());
  REQUIRE(take(*two, 1, kEnd + seconds(1)).size() == 1);
  CHECK((use(*one, id) == ErrorKind::object_not_present));
  CHECK_FALSE(one->certificates().find(id).has_value());
  CHECK_FALSE(one->key_pool().withdraw(id, soon()));
  CHECK(one->key_pool().find(id).has_value());
  CHECK_FALSE(use(*two, id).has_value());
  CHECK(two->certificates().find(id).has_value());
  CHECK_FALSE(two->key_pool().find(id).has_value());
  CHECK((use(*two, id) == ErrorKind::object_not_present));
}

TEST_CASE_FIXTURE(
    Fixture,
    "a certificate that is not written leaves its key in the pool, and the pool's word is part of its transaction") {
  one->key_pool().renew(kNow, kEnd, soon());
  const Uuid id = add(*one, 1, KeyPoolStore::Hold::own)[0];
  const CertificateRecord there = sample_record("same name");
  insert(*one, there);
  CertificateRecord record = sample_record("same name");
  record.id = id;
  const PoolClaim claim{id, one->key_pool().owner()};
  CHECK((kind_of([&] { one->certificates().insert(record, soon(), {.pool_key = &claim}); }) ==
         ErrorKind::name_not_unique));
  CHECK(one->key_pool().find(id).has_value());
  // And the event of a certificate that cannot have its key is not written either.
  const auto before = one->journal().head().sequence;
  const PoolClaim nobodys{Uuid::random(), one->key_pool().owner()};
  record.name = "another name";
  const hsmsigner::audit::Event event{.kind = hsmsigner::audit::EventKind::certificate_issued};
  CHECK((kind_of([&] { one->certificates().insert(record, soon(), {.event = &event, .pool_key = &nobodys}); }) ==
         ErrorKind::object_not_present));
  CHECK(one->journal().head().sequence == before);
}

TEST_CASE_FIXTURE(Fixture, "a withdrawn key is used by nobody and destroyed by whoever comes next") {
  one->key_pool().renew(kNow, kEnd, soon());
  const std::vector<Uuid> ids = add(*one, 2, KeyPoolStore::Hold::own);
  CHECK(one->key_pool().withdraw(ids[0], soon()));
  CHECK_FALSE(one->key_pool().withdraw(ids[0], soon()));
  CHECK((use(*one, ids[0]) == ErrorKind::object_not_present));
  CHECK(one->key_pool().levels(kToken, kNow)[0].all == 1);
  CHECK(one->key_pool().held(kToken).size() == 1);
  CHECK(one->key_pool().withdrawn(kToken, kNow) == std::vector<Uuid>{ids[0]});
  CHECK(two->key_pool().withdrawn(kToken, kNow).empty());  // its owner is at it
  CHECK(two->key_pool().withdrawn(kToken, kEnd + seconds(1)) == std::vector<Uuid>{ids[0]});
  CHECK(take(*two, 5, kEnd + seconds(1)).size() == 1);
  const hsmsigner::audit::Event event{.kind = hsmsigner::audit::EventKind::key_destroyed, .object = ids[0].to_string()};
  for (int i = 0; i < 2; ++i) two->key_pool().erase_withdrawn(ids[0], event, soon());
  CHECK_FALSE(one->key_pool().find(ids[0]).has_value());
  hsmsigner::store::JournalFilter filter;
  filter.kind = event.kind;
  CHECK(one->journal().find(filter, 0, 10).size() == 1);
  two->key_pool().erase_withdrawn(ids[1], event, soon());  // not withdrawn: stays
  CHECK(one->key_pool().find(ids[1]).has_value());
}

TEST_CASE_FIXTURE(Fixture, "of 16 threads and two instances no two take the same key, and each key is used once") {
  constexpr std::size_t kKeys = 400;
  add(*one, kKeys, KeyPoolStore::Hold::nobody);
  one->key_pool().renew(kNow, kEnd, soon());
  two->key_pool().renew(kNow, kEnd, soon());
  std::mutex mutex;
  std::multiset<Uuid> taken;
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&, i] {
        Store& store = i % 2 == 0 ? *one : *two;
        while (true) {
          const auto keys = take(store, 7);
          if (keys.empty()) return;
          for (const PoolKeyRecord& key : keys) {
            if (use(store, key.id)) ++failures;
            const std::lock_guard lock(mutex);
            taken.insert(key.id);
          }
        }
      });
    }
  }
  CHECK(failures == 0);
  CHECK(taken.size() == kKeys);
  CHECK(std::set<Uuid>(taken.begin(), taken.end()).size() == kKeys);
  CHECK(one->key_pool().ids().empty());
  CHECK(one->certificates().list(ContainerScope::everything(), {}, 0, 1).total == kKeys);
}

TEST_CASE_FIXTURE(Fixture, "keys of a process that was killed are free at once, those of one that runs are not") {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  one.reset();
  two.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    const auto store = Store::open({.path = path, .readers = 1});
    store->key_pool().renew(kNow, kEnd, soon());
    add(*store, 3, KeyPoolStore::Hold::own);
    (void)!::write(ready[1], "x", 1);
    ::pause();
  }
  char octet = 0;
  REQUIRE(::read(ready[0], &octet, 1) == 1);
  one = Store::open({.path = path, .readers = 1});
  one->key_pool().renew(kNow, kEnd, soon());
  CHECK(one->key_pool().end_leases_of_the_dead(soon()) == 0);
  CHECK(take(*one, 5).empty());
  ::kill(child, SIGKILL);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(one->key_pool().end_leases_of_the_dead(soon()) == 1);
  CHECK(take(*one, 5).size() == 3);
  CHECK(one->key_pool().end_leases_of_the_dead(soon()) == 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE_FIXTURE(Fixture, "a pool is forgotten whole, with one event, and not while somebody holds a lease") {
  add(*one, 3, KeyPoolStore::Hold::nobody);
  one->key_pool().plan(kToken, {Uuid::random()}, soon());
  const hsmsigner::audit::Event event{.kind = hsmsigner::audit::EventKind::pool_forgotten};
  two->key_pool().renew(kNow, kEnd, soon());
  CHECK((kind_of([&] { one->key_pool().forget_all(kNow, event, soon()); }) == ErrorKind::invalid_command));
  CHECK(one->key_pool().ids().size() == 3);
  CHECK_FALSE(one->journal().last_of(event.kind).has_value());
  two->key_pool().release(soon());
  CHECK(one->key_pool().forget_all(kNow, event, soon()) == 3);
  CHECK(one->key_pool().ids().empty());
  CHECK(two->key_pool().take_plans(kToken, kNow, soon()).empty());
  CHECK(one->journal().last_of(event.kind)->line.find("\"count\":\"3\"") != std::string::npos);
}
