// Sealed answers: opened by who has the key, for what they were sealed for, and by nobody else.
#include "auth/sealing.h"

#include <doctest/doctest.h>

#include <string>

#include "support/command.h"

using namespace hsmsigner;

TEST_CASE("a keyed digest is HMAC-SHA-256 of purpose and data, as openssl has it") {
  const std::string openssl =
      test_support::must_run({"openssl", "dgst", "-sha256", "-hmac", "key", "-r"}, "what\ndata");
  CHECK(auth::keyed_digest("key", "what", "data") == openssl.substr(0, 64));
}

TEST_CASE("what was sealed opens with its key and context") {
  for (const std::string& plain : {std::string(), std::string("x"), std::string(100000, 'y')}) {
    const std::string sealed = auth::seal("key", "context", plain);
    const auto opened = auth::open_sealed("key", "context", sealed);
    REQUIRE(opened);
    CHECK(opened->view() == plain);
    if (plain.size() > 1) CHECK(sealed.find(plain) == std::string::npos);
  }
  CHECK(auth::seal("key", "context", "x") != auth::seal("key", "context", "x"));  // another nonce
}

TEST_CASE("what was sealed does not open with another key or context, nor changed anywhere") {
  const std::string sealed = auth::seal("key", "context", "the answer");
  CHECK_FALSE(auth::open_sealed("another key", "context", sealed));
  CHECK_FALSE(auth::open_sealed("key", "another context", sealed));
  CHECK_FALSE(auth::open_sealed("key", "context", ""));
  CHECK_FALSE(auth::open_sealed("key", "context", "AAAA"));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(auth::open_sealed("key", "context", changed));
  }
}

TEST_CASE("what stands in the database for a key is not what seals") {
  const std::string digest = auth::keyed_digest("key", "idempotency key");
  CHECK(digest == auth::keyed_digest("key", "idempotency key"));
  CHECK(digest != auth::keyed_digest("Key", "idempotency key"));
  CHECK(digest != auth::keyed_digest("key", "request"));
  CHECK_FALSE(auth::open_sealed(digest, "context", auth::seal("key", "context", "x")));
}
