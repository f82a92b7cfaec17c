// A token that is known already is still asked about at every request: the account, the clock, the key. Real token,
// real database.
#include "service/access.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "auth/secret_hash.h"
#include "base/error.h"
#include "store/store.h"
#include "support/softhsm.h"

using namespace hsmsigner;
using std::chrono::seconds;

namespace {

struct World {
  test_support::SoftHsm hsm;
  test_support::TemporaryDirectory directory;
  std::unique_ptr<hsm::Token> token = hsm::Token::open(
      {.module_path = test_support::SoftHsm::module_path(), .selector = {hsm.label(), ""}}, Secret(hsm.pin()));
  std::unique_ptr<store::Store> database = store::Store::open({.path = directory.file("store.db")});
  UnixTime now = system_now();
  Clock clock = [this] { return now; };
  service::FailureJournal failures{database->journal()};
  service::AccessTokenKeys keys{*token, database->accounts(), clock};
  service::Access access{database->accounts(), database->journal(), failures, keys, clock};

  World() {
    keys.ensure(soon());
    store::AccountRecord account;
    account.client_id = "client";
    account.enabled = true;
    account.grants = {"reader=*"};
    account.secret = {Bytes(auth::kSaltOctets, 1), secret_hash()};
    database->accounts().insert(account, soon());
  }

  std::string claimed;  // by the last token that was looked at

  static Deadline soon() { return deadline_in(seconds(30)); }
  static Bytes secret_hash() { return auth::hash_secret(Secret("the secret"), Bytes(auth::kSaltOctets, 1)); }

  std::string issue() { return access.issue_token({}, "client", Secret("the secret"), "", soon()).token; }
  std::optional<ErrorKind> refusal(const std::string& access_token) {
    try {
      access.identify(access_token, claimed);
    } catch (const Error& error) {
      return error.kind();
    }
    return std::nullopt;
  }
  void change(const std::function<void(store::AccountRecord&)>& change) {
    database->accounts().update("client", change, soon());
  }
  // Issued, and known from then on.
  std::string known_token() {
    const std::string access_token = issue();
    for (int i = 0; i < 2; ++i) REQUIRE_FALSE(refusal(access_token));
    return access_token;
  }
};

}  // namespace

TEST_CASE_FIXTURE(World, "a known token of an account that is disabled or rotated meanwhile is refused at once") {
  const std::string access_token = known_token();
  change([](store::AccountRecord& account) { account.enabled = false; });
  CHECK((refusal(access_token) == ErrorKind::invalid_credential));
  change([](store::AccountRecord& account) { account.enabled = true; });
  CHECK_FALSE(refusal(access_token));
  change([](store::AccountRecord& account) { ++account.generation; });
  CHECK((refusal(access_token) == ErrorKind::invalid_credential));
  CHECK_FALSE(refusal(issue()));
}

TEST_CASE_FIXTURE(World, "a known token has what its account may do now") {
  const std::string access_token = known_token();
  CHECK_FALSE(access.identify(access_token, claimed).caller.may(auth::Operation::generate_certificate));
  change([](store::AccountRecord& account) { account.grants = {"issuer=folder:A"}; });
  CHECK(access.identify(access_token, claimed).caller.may(auth::Operation::generate_certificate));
  change([&](store::AccountRecord& account) { account.expires_at = now; });
  CHECK((refusal(access_token) == ErrorKind::key_expired));
}

TEST_CASE_FIXTURE(World, "a known token ends with its time, and with its key") {
  const std::string access_token = known_token();
  keys.rotate({}, soon());
  CHECK_FALSE(refusal(access_token));  // the key of before is good until its tokens have expired
  now += auth::kAccessTokenLifetime - seconds(1);
  CHECK_FALSE(refusal(access_token));
  now += seconds(1);
  CHECK((refusal(access_token) == ErrorKind::key_expired));
  now += seconds(120);
  CHECK((refusal(access_token) == ErrorKind::invalid_credential));  // no such key any more
}
