#include "store/answer_store.h"

#include <doctest/doctest.h>

#include <chrono>

#include "sample_record.h"
#include "support/temporary_directory.h"

using namespace store_test;
using namespace std::chrono_literals;
using hsmsigner::Error;
using hsmsigner::ErrorKind;
using hsmsigner::UnixTime;
using hsmsigner::Uuid;

namespace {

constexpr UnixTime epoch{};

struct Fixture {
  test_support::TemporaryDirectory directory;
  std::unique_ptr<Store> store = Store::open({.path = directory.file("db"), .readers = 1});
  int made = 0;

  void insert_with(const CertificateRecord& record, const AnswerRecord& answer) {
    store->certificates().insert(record, soon(), {.answer = &answer});
  }
  // Kept beside a certificate of its own.
  void keep(const AnswerRecord& answer) { insert_with(sample_record("made " + std::to_string(made++)), answer); }
  bool kept(const AnswerRecord& answer) {
    return store->answers().find(answer.client_id, answer.key_hash, epoch).has_value();
  }
  bool there(const CertificateRecord& record) { return store->certificates().find(record.id).has_value(); }
};

void check_key_taken(const std::optional<Error>& error) {
  REQUIRE(error.has_value());
  CHECK(error->kind() == ErrorKind::object_not_unique);
  REQUIRE(error->details().size() == 1);
  CHECK(error->details()[0].starts_with("Idempotency-Key: "));
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "an answer is found by client and key, and not when it is older than asked for") {
  const AnswerRecord answer = sample_answer("client", "key");
  keep(answer);
  store.reset();
  store = Store::open({.path = directory.file("db"), .readers = 1});
  const auto found = store->answers().find("client", "key", answer.created_at);
  REQUIRE(found.has_value());
  CHECK(found->client_id == answer.client_id);
  CHECK(found->key_hash == answer.key_hash);
  CHECK(found->request_hash == answer.request_hash);
  CHECK(found->sealed == answer.sealed);
  CHECK((found->created_at == answer.created_at));
  CHECK_FALSE(store->answers().find("client", "key", answer.created_at + 1s).has_value());
  CHECK_FALSE(store->answers().find("client", "KEY", epoch).has_value());
  CHECK_FALSE(store->answers().find("other", "key", epoch).has_value());
}

TEST_CASE_FIXTURE(Fixture, "a key that is taken keeps out what it would tell of, and only for its client") {
  keep(sample_answer("client", "key"));
  const CertificateRecord record = sample_record("second");
  AnswerRecord second = sample_answer("client", "key");
  second.sealed = "second";
  check_key_taken(error_of([&] { insert_with(record, second); }));
  CHECK_FALSE(there(record));
  CHECK(store->answers().find("client", "key", epoch)->sealed == "sealed key");

  const AccountRecord account = sample_account("account");
  check_key_taken(error_of([&] { store->accounts().insert(account, soon(), {.answer = &second}); }));
  CHECK_FALSE(store->accounts().find("account").has_value());

  insert_with(record, sample_answer("another client", "key"));
  CHECK(there(record));
}

TEST_CASE_FIXTURE(Fixture, "what is not written keeps no answer") {
  insert(*store, sample_record("name"));
  const AnswerRecord answer = sample_answer("client", "key");
  CHECK((kind_of([&] { insert_with(sample_record("name"), answer); }) == ErrorKind::name_not_unique));
  CHECK_FALSE(kept(answer));
  CertificateRecord orphan = sample_record("orphan");
  orphan.issuer_id = Uuid::random();
  CHECK((kind_of([&] { insert_with(orphan, answer); }) == ErrorKind::invalid_object));
  CHECK_FALSE(kept(answer));
  CHECK((kind_of([&] { store->certificates().complete(sample_record("none"), soon(), {.answer = &answer}); }) ==
         ErrorKind::object_not_present));
  CHECK_FALSE(kept(answer));
  store->accounts().insert(sample_account("one"), soon());
  CHECK((kind_of([&] { store->accounts().insert(sample_account("one"), soon(), {.answer = &answer}); }) ==
         ErrorKind::name_not_unique));
  CHECK_FALSE(kept(answer));
  insert_with(sample_record("other name"), answer);
  CHECK(kept(answer));
}

TEST_CASE_FIXTURE(Fixture, "completion keeps its answer with it, and without it does nothing") {
  CertificateRecord record = sample_record("name");
  const CertificateRecord pending = pending_record("name");
  record.id = pending.id;
  insert(*store, pending);
  const AnswerRecord taken = sample_answer("client", "taken"), answer = sample_answer("client", "key");
  keep(taken);
  check_key_taken(error_of([&] { store->certificates().complete(record, soon(), {.answer = &taken}); }));
  CHECK(store->certificates().find(record.id)->pending());
  store->certificates().complete(record, soon(), {.answer = &answer});
  CHECK_FALSE(store->certificates().find(record.id)->pending());
  CHECK(kept(answer));
}

TEST_CASE_FIXTURE(Fixture, "the answer to a change of an account is read after the change has been made") {
  store->accounts().insert(sample_account("one"), soon());
  const auto change = [&](const std::function<void(AnswerRecord&)>& fill) {
    AnswerRecord answer;
    store->accounts().update(
        "one",
        [&](AccountRecord& account) {
          ++account.generation;
          fill(answer);
        },
        soon(), {.answer = &answer});
  };
  const auto generation = [&] { return store->accounts().find("one")->generation; };
  change([](AnswerRecord&) {});  // no answer to keep
  CHECK(generation() == 8);
  CHECK(store->answers().erase_before(UnixTime::max(), 100, soon()) == 0);

  const AnswerRecord answer = sample_answer("one", "key");
  change([&](AnswerRecord& filled) { filled = answer; });
  CHECK(generation() == 9);
  CHECK(kept(answer));

  check_key_taken(error_of([&] { change([&](AnswerRecord& filled) { filled = answer; }); }));
  CHECK(generation() == 9);

  CHECK((kind_of([&] {
           change([](AnswerRecord& filled) {
             filled = sample_answer("one", "other");
             throw Error(ErrorKind::invalid_command);
           });
         }) == ErrorKind::invalid_command));
  CHECK(generation() == 9);
  CHECK_FALSE(kept(sample_answer("one", "other")));
}

TEST_CASE_FIXTURE(Fixture, "an answer that has had its time gives way to a new one under its key") {
  const AnswerRecord old = sample_answer("client", "key");
  keep(old);
  keep(sample_answer("client", "other key"));
  AnswerRecord fresh = old;
  fresh.sealed = "fresh";
  fresh.created_at = old.created_at + 24h;
  fresh.replaces_before = old.created_at;  // not older than this
  check_key_taken(error_of([&] { keep(fresh); }));
  fresh.replaces_before = old.created_at + 1s;
  keep(fresh);
  CHECK(store->answers().find("client", "key", epoch)->sealed == "fresh");
  CHECK(kept(sample_answer("client", "other key")));
}

TEST_CASE_FIXTURE(Fixture, "old answers are erased, oldest first, so many at a time") {
  for (int i = 0; i < 5; ++i) {
    AnswerRecord answer = sample_answer("client", std::to_string(i));
    answer.created_at = UnixTime(std::chrono::seconds(100 + i));
    keep(answer);
  }
  const auto left = [&] {
    std::string keys;
    for (const char* key : {"0", "1", "2", "3", "4"}) keys += kept(sample_answer("client", key)) ? key : "";
    return keys;
  };
  CHECK(store->answers().erase_before(UnixTime(100s), 10, soon()) == 0);
  CHECK(store->answers().erase_before(UnixTime(103s), 2, soon()) == 2);
  CHECK(left() == "234");
  CHECK(store->answers().erase_before(UnixTime(103s), 2, soon()) == 1);
  CHECK(left() == "34");
  CHECK(store->answers().erase_before(UnixTime(103s), 2, soon()) == 0);
  CHECK(store->answers().erase_before(UnixTime(1000s), 0, soon()) == 0);
  CHECK(store->answers().erase_before(UnixTime(1000s), 10, soon()) == 2);
}
