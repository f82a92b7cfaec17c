#include "store/account_store.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <thread>

#include "check_equal.h"
#include "sample_record.h"
#include "support/temporary_directory.h"

using namespace store_test;
using namespace std::chrono_literals;
using hsmsigner::Bytes;
using hsmsigner::Error;
using hsmsigner::ErrorKind;
using hsmsigner::UnixTime;
using hsmsigner::Uuid;
using hsmsigner::store::AccessTokenKeyRecord;
using hsmsigner::store::AccountStore;

namespace {

struct Fixture {
  test_support::TemporaryDirectory directory;
  std::unique_ptr<Store> opened;
  AccountStore* accounts = nullptr;

  Fixture() { open_anew(); }
  void open_anew() {
    opened.reset();
    opened = Store::open({.path = directory.file("db"), .readers = 2});
    accounts = &opened->accounts();
  }
  void add(const AccountRecord& account) { accounts->insert(account, soon()); }
};

AccountRecord unbound(const std::string& client_id) {
  AccountRecord account = sample_account(client_id);
  account.certificate_fingerprint = account.certificate_subject = "";
  return account;
}

AccessTokenKeyRecord token_key(UnixTime created_at) {
  return {Uuid::random(), Bytes(256, 0xa5), {1, 0, 1}, created_at, std::nullopt};
}

void check_not_unique(const std::optional<Error>& error) {
  REQUIRE(error.has_value());
  CHECK(error->kind() == ErrorKind::name_not_unique);
  REQUIRE(error->details().size() == 1);
  CHECK(error->details()[0].starts_with("client_id: "));
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "every field of an account comes back, also after the store was opened anew") {
  const AccountRecord full = sample_account("full");
  AccountRecord bare;
  bare.client_id = "bare";
  add(full);
  add(bare);
  for (int round = 0; round < 2; ++round) {
    for (const AccountRecord& expected : {full, bare}) {
      const auto found = accounts->find(expected.client_id);
      REQUIRE(found.has_value());
      check_equal(*found, expected);
    }
    open_anew();
  }
  CHECK_FALSE(accounts->find("FULL").has_value());
  CHECK_FALSE(accounts->find("").has_value());
}

TEST_CASE_FIXTURE(Fixture, "a client id is one account's, and so is a certificate's fingerprint") {
  add(sample_account("one"));
  AccountRecord same_id = unbound("one");
  same_id.description = "second";
  check_not_unique(error_of([&] { add(same_id); }));
  CHECK(accounts->find("one")->description != "second");

  AccountRecord same_certificate = sample_account("two");
  same_certificate.certificate_fingerprint = sample_account("one").certificate_fingerprint;
  check_not_unique(error_of([&] { add(same_certificate); }));
  CHECK_FALSE(accounts->find("two").has_value());

  // Bound to none is not bound to the same.
  add(unbound("three"));
  add(unbound("four"));
  check_not_unique(error_of([&] {
    accounts->update(
        "four", [](AccountRecord& account) { account.certificate_fingerprint = "FP:one"; }, soon());
  }));
  CHECK(accounts->find("four")->certificate_fingerprint.empty());
}

TEST_CASE_FIXTURE(Fixture, "an account that could not be read back is refused") {
  AccountRecord account = sample_account("one");
  account.grants = {"reader=*\nadministrator=*"};
  CHECK((kind_of([&] { add(account); }) == ErrorKind::internal_error));
  AccountRecord nameless = sample_account("");
  CHECK((kind_of([&] { add(nameless); }) == ErrorKind::internal_error));
  CHECK(accounts->list(0, 10).total == 0);
}

TEST_CASE_FIXTURE(Fixture, "a change of an account is written whole and handed back") {
  add(sample_account("one"));
  add(sample_account("two"));
  const AccountRecord changed = accounts->update(
      "one",
      [](AccountRecord& account) {
        account = unbound("renamed");  // its client id stays
        account.enabled = true;
        account.previous_secret.reset();
        account.expires_at.reset();
        account.grants.clear();
        account.generation = 8;
      },
      soon());
  CHECK(changed.client_id == "one");
  CHECK(changed.generation == 8);
  CHECK(changed.enabled);
  CHECK_FALSE(changed.previous_secret.has_value());
  check_equal(*accounts->find("one"), changed);
  check_equal(*accounts->find("two"), sample_account("two"));
  CHECK_FALSE(accounts->find("renamed").has_value());
}

TEST_CASE_FIXTURE(Fixture, "a change that throws, or of an account that is not there, changes nothing") {
  add(sample_account("one"));
  bool called = false;
  CHECK((kind_of([&] {
           accounts->update(
               "none", [&](AccountRecord&) { called = true; }, soon());
         }) == ErrorKind::object_not_present));
  CHECK_FALSE(called);
  const auto error = error_of([&] {
    accounts->update(
        "one",
        [](AccountRecord& account) {
          account.description = "half done";
          throw Error(ErrorKind::auth_unauthorized, {"a reason"});
        },
        soon());
  });
  REQUIRE(error.has_value());
  CHECK(error->kind() == ErrorKind::auth_unauthorized);
  CHECK(error->details() == std::vector<std::string>{"a reason"});
  CHECK((kind_of([&] {
           accounts->update(
               "one", [](AccountRecord&) { throw std::runtime_error("other"); }, soon());
         }) == ErrorKind::internal_error));
  check_equal(*accounts->find("one"), sample_account("one"));
}

TEST_CASE_FIXTURE(Fixture, "of changes by eight threads none is lost") {
  constexpr int threads = 8, each = 50;
  AccountRecord account = sample_account("one");
  account.generation = 0;
  add(account);
  std::atomic<int> failures = 0;
  std::vector<std::thread> running;
  running.reserve(threads);
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      for (int n = 0; n < each; ++n) {
        const bool refused = n % 5 == 0;  // these must not count
        const auto kind = kind_of([&] {
          accounts->update(
              "one",
              [&](AccountRecord& changed) {
                ++changed.generation;
                if (refused) throw Error(ErrorKind::invalid_command);
              },
              soon());
        });
        if (kind != (refused ? std::optional(ErrorKind::invalid_command) : std::nullopt)) ++failures;
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  CHECK(failures == 0);
  CHECK(accounts->find("one")->generation == threads * each * 4 / 5);
}

TEST_CASE_FIXTURE(Fixture, "an account is found by the certificate's fingerprint, else by its subject") {
  AccountRecord by_both = sample_account("both");
  AccountRecord by_subject = sample_account("subject");
  by_subject.certificate_fingerprint = "";
  add(by_both);
  add(by_subject);
  add(unbound("unbound"));
  const auto found = [&](const std::string& fingerprint, const std::string& subject) {
    const auto account = accounts->find_by_certificate(fingerprint, subject);
    return account ? account->client_id : std::string("nobody");
  };
  CHECK(found("FP:both", "/CN=subject") == "both");
  CHECK(found("FP:other", "/CN=subject") == "subject");
  CHECK(found("FP:other", "/CN=other") == "nobody");
  CHECK(found("fp:both", "/cn=subject") == "nobody");
  CHECK(found("", "") == "nobody");

  // A later account with a subject that is bound already does not take it over.
  AccountRecord later = sample_account("a later one");
  later.certificate_subject = "/CN=subject";
  later.created_at = by_subject.created_at + 1s;
  add(later);
  CHECK(found("FP:other", "/CN=subject") == "subject");
}

TEST_CASE_FIXTURE(Fixture, "accounts are listed by client id, paged and counted") {
  for (const char* id : {"c", "a", "B"}) add(sample_account(id));
  const auto ids = [&](std::size_t offset, std::size_t limit) {
    std::string text;
    const auto page = accounts->list(offset, limit);
    CHECK(page.total == 3);
    for (const AccountRecord& account : page.records) text += account.client_id;
    return text;
  };
  CHECK(ids(0, std::numeric_limits<std::size_t>::max()) == "Bac");
  CHECK(ids(1, 1) == "a");
  CHECK(ids(3, 1).empty());
  CHECK(ids(0, 0).empty());
}

TEST_CASE_FIXTURE(Fixture, "a new access token key retires the others, each once") {
  CHECK(accounts->access_token_keys().empty());
  const AccessTokenKeyRecord first = token_key(UnixTime(100s));
  const AccessTokenKeyRecord between = token_key(UnixTime(150s));
  const AccessTokenKeyRecord second = token_key(UnixTime(200s));
  const AccessTokenKeyRecord third = token_key(UnixTime(200s));  // within the same second
  accounts->add_access_token_key(first, soon());
  REQUIRE(accounts->access_token_keys().size() == 1);
  CHECK_FALSE(accounts->access_token_keys()[0].retired_at.has_value());
  accounts->add_access_token_key(between, soon());
  accounts->add_access_token_key(second, soon());
  accounts->add_access_token_key(third, soon());

  open_anew();
  const auto keys = accounts->access_token_keys();
  REQUIRE(keys.size() == 4);
  CHECK(keys[0].id == third.id);
  CHECK(keys[0].modulus == third.modulus);
  CHECK(keys[0].exponent == third.exponent);
  CHECK((keys[0].created_at == third.created_at));
  CHECK_FALSE(keys[0].retired_at.has_value());
  CHECK(keys[1].id == second.id);
  CHECK((keys[1].retired_at == UnixTime(200s)));
  CHECK(keys[2].id == between.id);
  CHECK((keys[2].retired_at == UnixTime(200s)));
  CHECK(keys[3].id == first.id);
  CHECK((keys[3].retired_at == UnixTime(150s)));  // by the next one, not the later ones

  // One that cannot be added retires nothing.
  CHECK((kind_of([&] { accounts->add_access_token_key(third, soon()); }) == ErrorKind::internal_error));
  CHECK_FALSE(accounts->access_token_keys()[0].retired_at.has_value());

  accounts->erase_access_token_key(first.id, soon());
  accounts->erase_access_token_key(first.id, soon());
  CHECK(accounts->access_token_keys().size() == 3);
}
