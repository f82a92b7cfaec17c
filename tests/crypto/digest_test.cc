// hash() against `openssl dgst`.
#include "crypto/digest.h"

#include <doctest/doctest.h>

#include <string>

#include "crypto/running_digest.h"
#include "support/command.h"

using namespace hsmsigner;
using test_support::must_run;

TEST_CASE("every digest is what openssl dgst computes") {
  for (const std::string& text : {std::string(), std::string("abc"), std::string(1000, '\0')}) {
    for (const DigestAlgorithmInfo& digest : digests()) {
      CAPTURE(digest.name);
      const std::string judged = must_run({"openssl", "dgst", "-" + std::string(digest.name), "-r"}, text);
      const Bytes value =
          crypto::hash(digest.digest, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
      CHECK(value.size() == digest.size);
      CHECK(to_hex(value) == judged.substr(0, judged.find(' ')));
    }
  }
}

TEST_CASE("sha256_hex writes the digest in lower-case hexadecimal") {
  const std::string judged = must_run({"openssl", "dgst", "-sha256", "-r"}, "evidence");
  CHECK(crypto::sha256_hex("evidence") == judged.substr(0, 64));
}

TEST_CASE("SHA-256 over octets that come one after the other is that over all of them") {
  std::string all;
  crypto::RunningSha256 running;
  CHECK(crypto::RunningSha256().hex() == crypto::sha256_hex(""));
  for (int i = 0; i < 300; ++i) {
    const std::string part(static_cast<std::size_t>(i), static_cast<char>(i));
    running.add(part);
    all += part;
  }
  CHECK(running.hex() == crypto::sha256_hex(all));
}
