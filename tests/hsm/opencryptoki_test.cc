// The contract suite on openCryptoki, in an executable of its own: its libraries leak, and are unloaded before
// LeakSanitizer could tell whose the leaks are.
#include "support/opencryptoki.h"

#include <doctest/doctest.h>

#include <chrono>

#include "contract.h"
#include "hsm/token_admin.h"

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
