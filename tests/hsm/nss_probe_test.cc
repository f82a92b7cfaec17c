// NSS softokn: a token that says of a key that it was never extractable, and gives it out. In an executable of its own:
// it leaks, and is unloaded before LeakSanitizer could tell whose the leaks are.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/error.h"
#include "hsm/token.h"
#include "probe_table.h"
#include "support/nss_database.h"

using namespace hsmsigner;
using namespace hsmsigner::hsm;

TEST_CASE("NSS softokn does not keep its keys, whatever it says of them") {
  if (const auto reason = test_support::NssDatabase::why_not()) {
    MESSAGE("test skipped: " << *reason);
    return;
  }
  const test_support::NssDatabase nss;
  TokenOptions options;
  options.module_path = test_support::NssDatabase::module_path();
  options.selector.label = nss.label();
  options.module_init = nss.module_init();
  const auto token = Token::open(options, Secret(nss.pin()));
  const auto soon = [] { return deadline_in(std::chrono::seconds(60)); };
  constexpr std::array kAlgorithms = {KeyAlgorithm::ec_p256, KeyAlgorithm::rsa_2048};
  const ProbeResult result = token->probe(kAlgorithms, soon());
  REQUIRE(result.algorithms.size() == kAlgorithms.size());
  hsm_contract::write_rows(token->info(), result);
  CHECK(result.verdict() == ProbeVerdict::gives_keys_out);
  for (const AlgorithmProbe& probe : result.algorithms) {
    CAPTURE(info(probe.algorithm).name);
    CHECK(probe.verdict == ProbeVerdict::gives_keys_out);
    CHECK(probe.reason == "");
    // It does not say that a token key was made in it, and says all of the export block that is asked.
    CHECK(probe.mismatch == "the token reports another CKA_LOCAL than was asked for");
    for (const char* mechanism : {"CKM_AES_KEY_WRAP_KWP", "CKM_AES_CBC_PAD"}) {
      CAPTURE(mechanism);
      const auto attempt = std::ranges::find(probe.attempts, mechanism, &ProbeAttempt::detail);
      REQUIRE(attempt != probe.attempts.end());
      CHECK(attempt->outcome == ProbeOutcome::leaked);
      CHECK(attempt->proven);
      CHECK_MESSAGE(attempt->remark.find("open to the private key itself, which signs") != std::string::npos,
                    attempt->remark);
    }
    for (const ProbeAttempt& attempt : probe.attempts) {
      CAPTURE(sentence(attempt));
      // It writes octets of its database where it refuses: these are not taken for the key.
      if (attempt.call == "C_GetAttributeValue") CHECK(attempt.outcome == ProbeOutcome::refused);
      if (attempt.call == "C_CopyObject" && attempt.detail == "CKA_EXTRACTABLE true") {
        CHECK(attempt.outcome == ProbeOutcome::leaked);
      }
    }
  }
  CHECK(token->count_private_keys(soon()) == 0);
  // So no certificate is ever issued on it.
  CHECK_THROWS_AS(token->generate({Uuid::random(), KeyAlgorithm::ec_p256, true}, soon()), Error);
  CHECK(token->count_private_keys(soon()) == 0);
}

TEST_CASE("a module is not taken twice with different module_init") {
  if (const auto reason = test_support::NssDatabase::why_not()) {
    MESSAGE("test skipped: " << *reason);
    return;
  }
  const test_support::NssDatabase nss;
  TokenOptions options;
  options.module_path = test_support::NssDatabase::module_path();
  options.selector.label = nss.label();
  options.module_init = nss.module_init();
  const auto token = Token::open(options, Secret(nss.pin()));
  options.module_init += " ";
  CHECK_THROWS_WITH_AS(Token::open(options, Secret(nss.pin())), doctest::Contains("module_init"), Error);
}
