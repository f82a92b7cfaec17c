// The contract suite on openCryptoki, in an executable of its own: its libraries leak, and are unloaded before
// LeakSanitizer could tell whose the leaks are.
#include "support/opencryptoki.h"

#include <doctest/doctest.h>

#include <chrono>

#include "contract.h"
#include "hsm/token_admin.h"
#include "probe_table.h"

using namespace hsmsigner;
using namespace hsmsigner::hsm;

TEST_CASE("openCryptoki's software token, initialised by us, keeps it, with RSA and no EC") {
  if (const auto reason = test_support::OpenCryptoki::why_not()) {
    MESSAGE("test skipped: " << *reason);
    return;
  }
  const test_support::OpenCryptoki opencryptoki;
  const std::string path = test_support::OpenCryptoki::module_path();
  // Its SO PIN is the factory's until now.
  const TokenListing made =
      init_token(path, "", opencryptoki.label(), Secret(opencryptoki.so_pin()), Secret(opencryptoki.pin()), false);
  CHECK(made.label == opencryptoki.label());
  CHECK(made.user_pin_set);
  const TokenOptions options{path, {opencryptoki.label(), ""}};
  hsm_contract::check_contract({options, opencryptoki.pin()});
  const auto token = Token::open(options, Secret(opencryptoki.pin()));
  for (const KeyAlgorithmInfo& row : key_algorithms()) {
    CAPTURE(row.name);
    CHECK(token->can_generate(row.algorithm) == (row.family == KeyFamily::rsa));
  }
  CHECK(token->count_private_keys(deadline_in(std::chrono::seconds(20))) == 0);
}

TEST_CASE("openCryptoki's software token keeps its keys, by what it does") {
  if (const auto reason = test_support::OpenCryptoki::why_not()) {
    MESSAGE("test skipped: " << *reason);
    return;
  }
  const test_support::OpenCryptoki opencryptoki;
  const std::string path = test_support::OpenCryptoki::module_path();
  init_token(path, "", opencryptoki.label(), Secret(opencryptoki.so_pin()), Secret(opencryptoki.pin()), false);
  const auto token = Token::open({path, {opencryptoki.label(), ""}}, Secret(opencryptoki.pin()));
  constexpr KeyAlgorithm kAlgorithm = KeyAlgorithm::rsa_2048;
  const ProbeResult result = token->probe({&kAlgorithm, 1}, deadline_in(std::chrono::seconds(60)));
  hsm_contract::write_rows(token->info(), result);
  REQUIRE(result.algorithms.size() == 1);
  CAPTURE(result.algorithms[0].reason);
  for (const ProbeAttempt& attempt : result.algorithms[0].attempts) {
    CAPTURE(sentence(attempt));
    CHECK(attempt.outcome == ProbeOutcome::refused);
  }
  CHECK(result.verdict() == ProbeVerdict::keeps_keys);
  CHECK(token->count_private_keys(deadline_in(std::chrono::seconds(20))) == 0);
}
