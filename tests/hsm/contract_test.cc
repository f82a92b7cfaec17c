#include "contract.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "base/error.h"
#include "hsm/token_admin.h"
#include "support/faults.h"
#include "support/remote_token.h"
#include "support/softhsm.h"

using namespace hsmsigner;
using namespace hsmsigner::hsm;

TEST_CASE("SoftHSM keeps the contract of hsm/token.h") {
  const test_support::SoftHsm softhsm;
  hsm_contract::check_contract({{test_support::SoftHsm::module_path(), {softhsm.label(), ""}}, softhsm.pin()});
  CHECK(softhsm.count_objects() == 0);
}

TEST_CASE("SoftHSM behind the fault module keeps it while there are no faults") {
  const test_support::SoftHsm softhsm;
  const test_support::Faults faults(test_support::SoftHsm::module_path());
  faults.install();
  hsm_contract::check_contract({{test_support::Faults::module_path(), {softhsm.label(), ""}}, softhsm.pin()});
  CHECK(softhsm.count_objects() == 0);
  CHECK(faults.calls("C_Login") == 2);  // once for each Token of the suite
}

TEST_CASE("a token behind a socket (p11-kit's server and client) keeps it, also after the server was killed") {
  if (const auto reason = test_support::RemoteToken::why_not()) {
    MESSAGE("test skipped: " << *reason);
    return;
  }
  const test_support::SoftHsm softhsm;
  test_support::RemoteToken remote(softhsm);
  const TokenOptions options{test_support::RemoteToken::module_path(), {softhsm.label(), ""}};
  // p11-kit 0.24 does not carry CKM_AES_KEY_WRAP_PAD, and SoftHSM has no other.
  hsm_contract::check_contract({options, softhsm.pin(), false, false});

  const auto token = Token::open(options, Secret(softhsm.pin()));
  const Deadline deadline = deadline_in(std::chrono::seconds(60));
  const GeneratedKey key = token->generate({Uuid::random(), KeyAlgorithm::ec_p256, true}, deadline);
  const auto sign = [&] { return key.key()->sign(Digest::sha256, Bytes(32, 1), deadline); };
  CHECK_FALSE(sign().empty());
  remote.kill();
  CHECK_THROWS_AS(sign(), Error);
  remote.start();
  // It is left alone for a moment after each failure.
  bool back = false;
  for (int attempt = 0; attempt < 100 && !back; ++attempt) {
    try {
      back = !sign().empty();
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::token_unavailable);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
  CHECK(back);
}

TEST_CASE("listing tokens leaves the sessions of an open token alone") {
  const test_support::SoftHsm softhsm;
  const std::string path = test_support::SoftHsm::module_path();
  const auto token = Token::open({path, {softhsm.label(), ""}}, Secret(softhsm.pin()));
  for (int i = 0; i < 3; ++i) CHECK_FALSE(list_tokens(path).empty());
  const Deadline deadline = deadline_in(std::chrono::seconds(20));
  const auto key = token->generate({Uuid::random(), KeyAlgorithm::ec_p256, true}, deadline);
  CHECK_FALSE(key.key()->sign(Digest::sha256, Bytes(32, 1), deadline).empty());
}

TEST_CASE("a token is initialised, and not over keys unless that is meant") {
  const test_support::SoftHsm softhsm;
  const std::string path = test_support::SoftHsm::module_path();
  const TokenListing made = init_token(path, "", "second", Secret("12345678"), Secret("1234"), false);
  CHECK(made.label == "second");
  CHECK(made.initialized);
  CHECK(made.user_pin_set);
  CHECK_THROWS_AS(init_token(path, "", "second", Secret("12345678"), Secret("1234"), false), Error);
  CHECK_THROWS_AS(init_token(path, made.serial, "third", Secret("12345678"), Secret("1234"), false), Error);
  CHECK_NOTHROW(Token::open({path, {"second", ""}}, Secret("1234")));
}
