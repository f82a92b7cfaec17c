#include "auth/secret_hash.h"

#include <doctest/doctest.h>

#include <numeric>

#include "base/error.h"
#include "support/command.h"

using namespace hsmsigner;
using namespace hsmsigner::auth;

TEST_CASE("a client secret is the base64url text of its 32 octets") {
  Bytes octets(kSecretOctets);
  std::iota(octets.begin(), octets.end(), std::uint8_t{0xe8});
  const Secret secret = client_secret(Secret(ByteView(octets)));
  CHECK(secret.size() == 43);
  CHECK(secret.view() == "6Onq6-zt7u_w8fLz9PX29_j5-vv8_f7_AAECAwQFBgc");
}

TEST_CASE("a client secret of fewer or more random bits is not made") {
  for (const std::size_t size : {std::size_t{0}, kSecretOctets - 1, kSecretOctets + 1}) {
    CHECK_THROWS_AS(client_secret(Secret(ByteView(Bytes(size)))), Error);
  }
}

TEST_CASE("RFC 4231, HMAC-SHA-256") {
  struct Row {
    const char* key;
    const char* data;
    const char* hmac;
  };
  const Row rows[] = {
      {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
       "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
       "dddddddddddddddddddddddddddddddd",
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
  };
  for (const Row& row : rows) {
    CHECK(to_hex(hash_secret(Secret(ByteView(from_hex(row.data).value())), from_hex(row.key).value())) == row.hmac);
  }
}

TEST_CASE("openssl makes the same hash of a secret under a salt") {
  const Bytes salt = from_hex("000102030405060708090a0b0c0d0eff").value();
  REQUIRE(salt.size() == kSaltOctets);
  const Secret secret(std::string_view("6Onq6-zt7u_w8fLz9PX29_j5-vv8_f7_AAECAwQFBgc"));
  const std::string printed = test_support::must_run(
      {"openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:" + to_hex(salt)}, std::string(secret.view()));
  const std::string hash = to_hex(hash_secret(secret, salt));
  CHECK(printed.find("= " + hash) != std::string::npos);
}

TEST_CASE("another salt or another secret makes another hash") {
  const Secret secret(std::string_view("secret"));
  const Bytes hash = hash_secret(secret, Bytes(kSaltOctets, 1));
  CHECK(hash == hash_secret(secret, Bytes(kSaltOctets, 1)));
  CHECK(hash != hash_secret(secret, Bytes(kSaltOctets, 2)));
  CHECK(hash != hash_secret(Secret(std::string_view("Secret")), Bytes(kSaltOctets, 1)));
  CHECK(hash != hash_secret(Secret(), Bytes(kSaltOctets, 1)));
}

TEST_CASE("equal means every octet and the length") {
  const Bytes hash = hash_secret(Secret(std::string_view("secret")), Bytes(kSaltOctets, 1));
  CHECK(equal_in_constant_time(hash, Bytes(hash)));
  for (std::size_t i = 0; i < hash.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes other = hash;
      other[i] = static_cast<std::uint8_t>(other[i] ^ 1 << bit);
      CHECK_FALSE(equal_in_constant_time(hash, other));
    }
  }
  CHECK_FALSE(equal_in_constant_time(hash, ByteView(hash).first(31)));
  CHECK_FALSE(equal_in_constant_time(ByteView(hash).first(31), hash));
  CHECK_FALSE(equal_in_constant_time(hash, {}));
  CHECK(equal_in_constant_time({}, {}));
}
