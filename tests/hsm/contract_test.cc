#include <doctest/doctest.h>

#include "base/error.h"
#include "contract.h"
#include "hsm/token_admin.h"
#include "support/softhsm.h"

using namespace hsmsigner;
using namespace hsmsigner::hsm;

TEST_CASE("SoftHSM keeps the contract of hsm/token.h") {
  const test_support::SoftHsm softhsm;
  hsm_contract::check_contract({{test_support::SoftHsm::module_path(), {softhsm.label(), ""}}, softhsm.pin()});
  CHECK(softhsm.count_objects() == 0);
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

TEST_CASE("a wrong PIN is an error, and is not sent a second time") {
  const test_support::SoftHsm softhsm;
  const TokenOptions options{test_support::SoftHsm::module_path(), {softhsm.label(), ""}};
  CHECK_THROWS_AS(Token::open(options, Secret("wrong-pin")), Error);
  try {
    Token::open(options, Secret("wrong-pin"));
    FAIL("opened with a wrong PIN");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::token_unavailable);
    CHECK(error.details().at(0).find("not sent again") != std::string::npos);
  }
  CHECK_NOTHROW(Token::open(options, Secret(softhsm.pin())));
}
