// The public key out of two signatures, on every curve.
#include "crypto/ec_recovery.h"

#include <doctest/doctest.h>
#include <openssl/err.h>

#include "base/error.h"
#include "support/software_signer.h"

using namespace hsmsigner;
using namespace test_support;
using crypto::recover_ec_public_key;
using crypto::SignedDigest;

namespace {

SignedDigest sign(Signer& signer, Digest digest, std::uint8_t fill) {
  Bytes value(info(digest).size, fill);
  Bytes signature = signer.sign(digest, value, deadline_in(std::chrono::seconds(10)));
  return {std::move(value), std::move(signature)};
}

}  // namespace

TEST_CASE("two signatures over different digests give the one key, on every curve and with every digest") {
  for (const KeyAlgorithm curve : {KeyAlgorithm::ec_p256, KeyAlgorithm::ec_p384, KeyAlgorithm::ec_p521}) {
    for (const Digest digest : {Digest::sha1, Digest::sha256, Digest::sha384, Digest::sha512}) {
      for (int key = 0; key < 3; ++key) {
        CAPTURE(info(curve).name);
        CAPTURE(info(digest).name);
        SoftwareSigner& signer = shared_signer(curve, key);
        for (std::uint8_t fill = 1; fill < 6; ++fill) {
          const auto found = recover_ec_public_key(curve, digest, sign(signer, digest, fill), sign(signer, digest, 99));
          REQUIRE(found.has_value());
          CHECK((PublicKey(*found) == signer.public_key()));
        }
        CHECK(ERR_peek_error() == 0);
      }
    }
  }
}

TEST_CASE("signatures of two keys, of one digest, of another curve, or of nothing give no key") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  const SignedDigest one = sign(signer, Digest::sha256, 1);
  const SignedDigest two = sign(signer, Digest::sha256, 2);
  const auto recover = [](const SignedDigest& first, const SignedDigest& second) {
    return recover_ec_public_key(KeyAlgorithm::ec_p256, Digest::sha256, first, second).has_value();
  };
  REQUIRE(recover(one, two));
  CHECK_FALSE(recover(one, one));
  CHECK_FALSE(recover(one, sign(signer, Digest::sha256, 1)));  // another signature, the same digest
  CHECK_FALSE(recover(one, sign(shared_signer(KeyAlgorithm::ec_p256, 1), Digest::sha256, 2)));
  CHECK_FALSE(recover(one, sign(shared_signer(KeyAlgorithm::ec_p384), Digest::sha256, 2)));
  CHECK_FALSE(recover({one.digest, two.signature}, {two.digest, one.signature}));
  CHECK_FALSE(recover_ec_public_key(KeyAlgorithm::ec_p384, Digest::sha256, one, two).has_value());
  for (const Bytes& nothing : {Bytes{}, Bytes{0x30, 0x00}, Bytes{0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x01},
                               Bytes{0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x00},
                               Bytes{0x30, 0x06, 0x02, 0x01, 0xff, 0x02, 0x01, 0x01}, Bytes(72, 0xff)}) {
    CHECK_FALSE(recover(one, {two.digest, nothing}));
    CHECK_FALSE(recover({one.digest, nothing}, two));
  }
  Bytes longer = two.signature;
  longer.push_back(0);
  CHECK_FALSE(recover(one, {two.digest, longer}));
  CHECK(ERR_peek_error() == 0);
  CHECK_THROWS_AS(recover_ec_public_key(KeyAlgorithm::rsa_2048, Digest::sha256, one, two), Error);
}

TEST_CASE("every octet of a signature counts") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  const SignedDigest one = sign(signer, Digest::sha256, 1);
  const SignedDigest two = sign(signer, Digest::sha256, 2);
  for (std::size_t at = 0; at < two.signature.size(); ++at) {
    SignedDigest changed = two;
    changed.signature[at] ^= 0x01;
    CAPTURE(at);
    CHECK_FALSE(recover_ec_public_key(KeyAlgorithm::ec_p256, Digest::sha256, one, changed).has_value());
  }
}
