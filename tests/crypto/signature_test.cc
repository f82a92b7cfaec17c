// verifies(), asked about signatures that are one and about all that are not.
#include "crypto/signature.h"

#include <doctest/doctest.h>
#include <openssl/err.h>

#include "support/software_signer.h"

using namespace hsmsigner;
using namespace test_support;
using crypto::verifies;

namespace {

Bytes digest_of(Digest digest, std::uint8_t fill = 7) { return Bytes(info(digest).size, fill); }
Bytes sign(Signer& signer, Digest digest) {
  return signer.sign(digest, digest_of(digest), deadline_in(std::chrono::seconds(10)));
}

}  // namespace

TEST_CASE("a signature verifies under its key, digest and digest value only") {
  for (const KeyAlgorithmInfo& algorithm : key_algorithms()) {
    if (algorithm.bits == 4096 || algorithm.bits == 3072) continue;
    SoftwareSigner& signer = shared_signer(algorithm.algorithm);
    const PublicKey& other = shared_signer(algorithm.algorithm, 1).public_key();
    for (const DigestAlgorithmInfo& digest : digests()) {
      if (why_cannot_sign(algorithm.family, algorithm.bits, digest.digest)) continue;
      CAPTURE(algorithm.name);
      CAPTURE(digest.name);
      const Bytes signature = sign(signer, digest.digest);
      CHECK(verifies(signer.public_key(), digest.digest, digest_of(digest.digest), signature));
      CHECK_FALSE(verifies(other, digest.digest, digest_of(digest.digest), signature));
      CHECK_FALSE(verifies(signer.public_key(), digest.digest, digest_of(digest.digest, 8), signature));
      if (algorithm.family == KeyFamily::rsa) {  // ECDSA does not name its digest
        const Digest wrong = digest.digest == Digest::sha256 ? Digest::sha1 : Digest::sha256;
        CHECK_FALSE(verifies(signer.public_key(), wrong, digest_of(wrong), signature));
      }
      CHECK(ERR_peek_error() == 0);
    }
  }
}

TEST_CASE("a signature of which anything was changed, cut off or added does not verify") {
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::rsa_2048, KeyAlgorithm::ec_p256}) {
    SoftwareSigner& signer = shared_signer(algorithm);
    const Bytes digest = digest_of(Digest::sha256);
    const Bytes good = sign(signer, Digest::sha256);
    for (std::size_t at = 0; at < good.size(); ++at) {
      CAPTURE(at);
      Bytes changed = good;
      changed[at] ^= 1;
      CHECK_FALSE(verifies(signer.public_key(), Digest::sha256, digest, changed));
      CHECK_FALSE(verifies(signer.public_key(), Digest::sha256, digest, ByteView(good).first(at)));
    }
    Bytes longer = good;
    longer.push_back(0);
    CHECK_FALSE(verifies(signer.public_key(), Digest::sha256, digest, longer));
    CHECK_FALSE(verifies(signer.public_key(), Digest::sha256, ByteView(digest).first(31), good));
    CHECK_FALSE(verifies(signer.public_key(), Digest::sha256, {}, good));
    CHECK(ERR_peek_error() == 0);
  }
}

TEST_CASE("numbers that are no key verify nothing") {
  const Bytes digest = digest_of(Digest::sha256);
  const Bytes signature(64, 1);
  CHECK_FALSE(verifies(EcPublicKey{KeyAlgorithm::ec_p256, Bytes(65, 4)}, Digest::sha256, digest, signature));
  CHECK_FALSE(verifies(EcPublicKey{KeyAlgorithm::ec_p256, {}}, Digest::sha256, digest, signature));
  CHECK_FALSE(verifies(RsaPublicKey{}, Digest::sha256, digest, signature));
  CHECK_FALSE(verifies(RsaPublicKey{Bytes(256, 0xff), {}}, Digest::sha256, digest, signature));
  CHECK(ERR_peek_error() == 0);
}
