// The pool of keys on a real token: filled to its marks, claimed once, given back, destroyed, and bounded.
#include "service/key_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <set>

#include "base/error.h"
#include "crypto/public_key_info.h"
#include "service/pool_batch.h"
#include "service/pool_demand.h"
#include "service/pool_world.h"
#include "support/command.h"
#include "support/faults.h"

using namespace pool_test;

TEST_CASE("marks are read as the settings write them, and nothing else is") {
  const auto marks = service::parse_marks("P-256:100:500");
  REQUIRE(marks.has_value());
  CHECK((marks->key_class == kP256));
  CHECK(marks->low == 100);
  CHECK(marks->high == 500);
  CHECK((service::parse_marks("RSA-2048/exportable:0:1")->key_class == KeyClass{KeyAlgorithm::rsa_2048, false}));
  for (const char* text : {"", "P-256", "P-256:1", "P-256:2:1", "P-257:1:2", "P-256:a:2", "P-256:1:2:3", "P-256:-1:2",
                           "P-256:1:", "P-256::2", " P-256:1:2", "P-256:1:2 ", "P-256:1:1000001",
                           "P-256:99999999999999999999:1", "P-256/export:1:2"}) {
    CAPTURE(text);
    CHECK_FALSE(service::parse_marks(text).has_value());
  }
}

TEST_CASE("what is learned: nothing from a few requests, more from more, and more ahead for slow keys") {
  const std::chrono::duration<double> fast(0.01);
  CHECK(service::learned_marks(kP256, 0, fast).high == 0);
  CHECK(service::learned_marks(kP256, service::kLeastDemand - 1, fast).high == 0);
  const auto some = service::learned_marks(kP256, 600, fast);  // one a second
  CHECK(some.high == 60);
  CHECK(some.low == 30);
  CHECK(service::learned_marks(kP256, 600, std::chrono::duration<double>(4)).high == 120);
  CHECK(service::learned_marks(kP256, 1e9, fast).high == service::kMostLearned);
}

TEST_CASE("the pool is filled to its high mark, with rows, keys that are proven, and events that name them all") {
  World world;
  const auto one = world.instance();
  one->fill({{kP256, 3, 30}, {kExportable, 1, 2}});
  REQUIRE(one->comes_to_stock(30));
  REQUIRE(one->comes_to_stock(2, kExportable));
  CHECK(world.keys() == 32);
  const auto ids = one->store().key_pool().ids();
  CHECK(ids.size() == 32);
  std::string told;
  for (const audit::Event& event : one->events(audit::EventKind::pool_filled)) {
    for (const auto& [name, value] : event.details) told += name == "ids" ? value + " " : "";
  }
  for (const Uuid& id : ids) {
    CHECK(told.find(id.to_string()) != std::string::npos);
    const auto record = one->store().key_pool().find(id);
    REQUIRE(record.has_value());
    const hsm::KeyAttributes attributes = world.token->attributes(id, soon());
    CHECK(attributes.extractable == !record->key_class.block_export);
    CHECK(record->key.never_extractable == record->key_class.block_export);
    CHECK(attributes.local);
  }
}

TEST_CASE("a certificate has the key of the pool that it was given, and its id, and the pool's row is gone") {
  World world;
  const auto one = world.instance();
  one->fill({{kP256, 0, 0}});
  service::Batch batch = service::make_batch(*world.token, one->store().key_pool(), {.key_class = kP256, .count = 2},
                                             system_now(), std::atomic<bool>(false), [] {});
  REQUIRE(batch.keys.size() == 2);
  const Uuid first = batch.keys[0].record.id;
  const std::string public_key = batch.keys[0].record.public_key_pem;
  one->pool.add(std::move(batch.keys));
  const store::CertificateRecord record = one->generate(sample_request("root", "", true));
  CHECK(record.id == first);
  CHECK(record.key->id == to_hex(first.bytes()));
  CHECK(record.key->never_extractable);
  CHECK(crypto::public_key_pem(pki::Certificate::from_pem(record.certificate_pem).public_key()) == public_key);
  CHECK_FALSE(one->store().key_pool().find(first).has_value());
  CHECK(one->generate(sample_request("leaf", "root")).signed_by == "root");
  CHECK(one->figures().claims == 2);
  CHECK(one->figures().misses == 0);
  // Empty: made at once.
  CHECK(one->generate(sample_request("more", "root")).signed_by == "root");
  CHECK(one->figures().misses == 1);
  CHECK(world.keys() == 3);
}

TEST_CASE("16 threads and two instances on one store: every certificate has a key of its own") {
  World world;
  const auto one = world.instance();
  const auto two = world.instance();
  one->fill({{kP256, 30, 60}});
  two->fill({{kP256, 30, 60}});
  REQUIRE(comes([&] { return one->figures().stock >= 60 && two->figures().stock >= 60; }));
  one->generate(sample_request("root", "", true));
  constexpr int kThreads = 16;
  constexpr int kEach = 15;
  std::mutex mutex;
  std::set<std::string> keys;
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        for (int j = 0; j < kEach; ++j) {
          try {
            Instance& instance = i % 2 == 0 ? *one : *two;
            const auto record = instance.generate(sample_request(std::to_string(i) + "-" + std::to_string(j), "root"));
            const std::lock_guard lock(mutex);
            keys.insert(crypto::public_key_pem(pki::Certificate::from_pem(record.certificate_pem).public_key()));
          } catch (const std::exception&) {
            ++failures;
          }
        }
      });
    }
  }
  CHECK(failures == 0);
  CHECK(keys.size() == kThreads * kEach);
  CHECK(one->figures().claims + two->figures().claims > 0);
  one->finish();
  two->finish();
  CHECK(world.keys() == one->certificates() + one->store().key_pool().ids().size());
}

TEST_CASE("a key whose request failed before it signed anything is given back, one that signed is destroyed") {
  World world;
  const auto one = world.instance();
  one->fill({{kP256, 0, 0}});
  service::Batch batch = service::make_batch(*world.token, one->store().key_pool(), {.key_class = kP256, .count = 3},
                                             system_now(), std::atomic<bool>(false), [] {});
  REQUIRE(batch.keys.size() == 3);
  one->pool.add(std::move(batch.keys));
  one->generate(sample_request("root", "", true));
  // Everything is signed by then, and nothing recorded.
  const service::ComposeAnswer failing = [](const store::CertificateRecord&) -> store::AnswerRecord {
    throw Error(ErrorKind::internal_error);
  };
  // Signed by the root: the key of the pool itself signs nothing.
  CHECK_THROWS_AS(one->generate(sample_request("leaf", "root"), failing), Error);
  CHECK(one->figures().stock == 2);
  CHECK(world.keys() == 3);
  // Self-signed.
  CHECK_THROWS_AS(one->generate(sample_request("self"), failing), Error);
  CHECK(one->figures().stock == 1);
  CHECK(comes([&] { return world.keys() == 2 && one->store().key_pool().ids().size() == 1; }));
  CHECK(one->events(audit::EventKind::key_destroyed).size() == 1);
  CHECK(one->generate(sample_request("self")).name == "self");
  CHECK(one->figures().stock == 0);
  CHECK(world.keys() == 2);
}

TEST_CASE("a stalled process whose keys were taken over issues with a new key, and leaves the other's alone") {
  World world;
  const auto one = world.instance();
  service::FillerPace still = Instance::quick();
  still.look = std::chrono::minutes(10);  // it looks once, and then no more
  one->fill({{kP256, 1, 2}}, 1000, still);
  REQUIRE(one->comes_to_stock(2));
  const auto ids = one->store().key_pool().ids();
  // Its lease is over for the others.
  test_support::must_run({"sqlite3", world.database(), "DELETE FROM pool_lease"});
  const auto two = world.instance();
  two->fill({{kP256, 0, 0}});
  REQUIRE(two->comes_to_stock(2));
  const auto record = one->generate(sample_request("of the stalled one"));
  CHECK(std::find(ids.begin(), ids.end(), record.id) == ids.end());
  CHECK(one->figures().claims == 1);
  const auto other = two->generate(sample_request("of the other one"));
  CHECK(std::find(ids.begin(), ids.end(), other.id) != ids.end());
  // It has noticed, and fills its own stock anew.
  CHECK(one->comes_to_stock(2));
  CHECK(comes([&] { return world.keys() == one->certificates() + one->store().key_pool().ids().size(); }));
  CHECK(world.token->key(other.id, pki::Certificate::from_pem(other.certificate_pem).public_key())->is_present(soon()));
}

TEST_CASE("an orderly end gives the stock back, and the next start has it without making a key") {
  World world;
  {
    const auto one = world.instance();
    one->fill({{kP256, 1, 10}});
    REQUIRE(one->comes_to_stock(10));
    one->finish();
  }
  const auto two = world.instance();
  two->fill({{kP256, 1, 10}});
  REQUIRE(two->comes_to_stock(10));
  CHECK(world.keys() == 10);
  CHECK(two->generate(sample_request("x")).name == "x");
  CHECK(two->figures().claims == 1);
}

TEST_CASE("a record that says another public key, class or token than the key has does not become stock") {
  World world;
  {
    const auto one = world.instance();
    one->fill({{kP256, 1, 4}});
    REQUIRE(one->comes_to_stock(4));
    one->finish();
  }
  // Two rows have each other's public key, a third says that it is exportable, and of the fourth the key is gone.
  const auto two = world.instance();
  const auto ids = two->store().key_pool().ids();
  REQUIRE(ids.size() == 4);
  const auto sql = [&](const std::string& text) { test_support::must_run({"sqlite3", world.database(), text}); };
  sql("UPDATE pool_key SET public_key_pem = (SELECT public_key_pem FROM pool_key WHERE id = '" + ids[1].to_string() +
      "') WHERE id = '" + ids[0].to_string() + "'");
  sql("UPDATE pool_key SET class = 'P-256/exportable' WHERE id = '" + ids[2].to_string() + "'");
  world.token->destroy(ids[3], soon());
  two->fill({{kP256, 0, 0}});
  CHECK(two->comes_to_stock(1));
  CHECK(comes([&] { return two->store().key_pool().ids() == std::vector<Uuid>{ids[1]}; }));
  CHECK(world.keys() == 1);
  CHECK(two->events(audit::EventKind::key_destroyed).size() == 2);
  CHECK(two->events(audit::EventKind::pool_key_lost).size() == 1);
  CHECK(two->figures(kExportable).stock == 0);
}

TEST_CASE("no more keys than allowed, and none for a while after the token was full") {
  World world;
  const auto one = world.instance();
  one->fill({{kP256, 50, 100}}, 7);
  REQUIRE(one->comes_to_stock(7));
  std::this_thread::sleep_for(milliseconds(500));
  CHECK(world.keys() == 7);
}

TEST_CASE("a token without room: the pool waits, requests go on, and nothing is left of the attempts") {
  const test_support::SoftHsm softhsm;
  const test_support::TemporaryDirectory directory;
  const test_support::Faults faults(test_support::SoftHsm::module_path());
  faults.install();
  const auto token = hsm::Token::open(
      {.module_path = test_support::Faults::module_path(), .selector = {softhsm.label(), ""}}, Secret(softhsm.pin()));
  faults.plan("C_GenerateKeyPair rv=CKR_DEVICE_MEMORY\n");
  Instance one(*token, directory.file("db"));
  one.fill({{kP256, 5, 10}});
  REQUIRE(comes([&] { return faults.calls("C_GenerateKeyPair") >= 1; }));
  std::this_thread::sleep_for(milliseconds(1000));
  CHECK(faults.calls("C_GenerateKeyPair") <= 2);  // both that were begun, and none after
  faults.plan("");
  CHECK(one.figures().stock == 0);
  CHECK(one.generate(sample_request("x")).name == "x");
  CHECK(softhsm.count_objects() == 1);
}
