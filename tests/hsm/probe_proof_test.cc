// What a probe takes for a key, and what it does not.
#include "hsm/probe_proof.h"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <string>

#include "base/private_key.h"
#include "hsm/probe_agreement.h"
#include "software_key.h"

using namespace hsmsigner;
using namespace hsmsigner::hsm;
using hsm_contract::software_ec_key;
using hsm_contract::software_rsa_key;

namespace {

constexpr std::array kCurves = {KeyAlgorithm::ec_p256, KeyAlgorithm::ec_p384, KeyAlgorithm::ec_p521};

Bytes octets_of(ByteView octets) { return Bytes(octets.begin(), octets.end()); }

Bytes changed(ByteView octets) {
  Bytes other = octets_of(octets);
  other.back() ^= 2;
  return other;
}

// By OpenSSL, with the public numbers alone.
Bytes wrapped_under(const RsaPublicKey& key, const std::string& text, int padding) {
  const std::string der = hsm_contract::public_key_der(key);
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pkey(
      d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())), EVP_PKEY_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(pkey.get(), nullptr),
                                                                            EVP_PKEY_CTX_free);
  REQUIRE(EVP_PKEY_encrypt_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) == 1);
  Bytes out(key.modulus.size());
  std::size_t size = out.size();
  REQUIRE(EVP_PKEY_encrypt(context.get(), out.data(), &size, reinterpret_cast<const unsigned char*>(text.data()),
                           text.size()) == 1);
  REQUIRE(size == out.size());
  return out;
}

}  // namespace

TEST_CASE("a private key is told from another one, and from octets that are none") {
  const auto rsa = software_rsa_key(1024);
  CHECK(is_private_half(rsa->pkcs8.bytes(), rsa->public_key()));
  CHECK_FALSE(is_private_half(software_rsa_key(1024)->pkcs8.bytes(), rsa->public_key()));
  for (const KeyAlgorithm curve : kCurves) {
    const auto key = software_ec_key(curve);
    CHECK(is_private_half(key->pkcs8.bytes(), key->public_key()));
    CHECK_FALSE(is_private_half(software_ec_key(curve)->pkcs8.bytes(), key->public_key()));
    CHECK_FALSE(is_private_half(key->pkcs8.bytes(), rsa->public_key()));
    CHECK_FALSE(is_private_half(rsa->pkcs8.bytes(), key->public_key()));
  }
  CHECK_FALSE(is_private_half({}, rsa->public_key()));
  CHECK_FALSE(is_private_half(Bytes(600, 0), rsa->public_key()));
}

TEST_CASE("two pairs agree on one AES key, by either derivation, and no key comes of what is no point") {
  const SoftwareEcKey one;
  const SoftwareEcKey other;
  for (const AgreementKdf kdf : {AgreementKdf::none, AgreementKdf::sha256}) {
    const auto agreed = one.agree(other.point(), kdf);
    REQUIRE(agreed.has_value());
    CHECK(agreed->size() == 32);
    CHECK(agreed->bytes().size() == 32);
    CHECK(octets_of(agreed->bytes()) == octets_of(other.agree(one.point(), kdf)->bytes()));
    CHECK(octets_of(agreed->bytes()) != octets_of(one.agree(one.point(), kdf)->bytes()));
  }
  // ANSI X9.63: the SHA-256 of the agreed octets and the counter.
  Bytes input = octets_of(one.agree(other.point(), AgreementKdf::none)->bytes());
  input.insert(input.end(), {0, 0, 0, 1});
  Bytes hashed(32);
  REQUIRE(EVP_Digest(input.data(), input.size(), hashed.data(), nullptr, EVP_sha256(), nullptr) == 1);
  CHECK(octets_of(one.agree(other.point(), AgreementKdf::sha256)->bytes()) == hashed);
  CHECK_FALSE(one.agree(changed(other.point()), AgreementKdf::none).has_value());
  CHECK_FALSE(one.agree({}, AgreementKdf::none).has_value());
  CHECK_FALSE(one.agree(Bytes(65, 4), AgreementKdf::none).has_value());
}

TEST_CASE("each number that gives a key away is known, and others are not taken for one") {
  for (const KeyAlgorithm curve : kCurves) {
    const auto key = software_ec_key(curve);
    const ByteView value = std::get<EcPrivateKey>(key->parts).value.bytes();
    CHECK(is_secret_of(key->public_key(), value));
    CHECK_FALSE(is_secret_of(key->public_key(), changed(value)));
    CHECK_FALSE(is_secret_of(key->public_key(), Bytes(value.size(), 0)));
    CHECK_FALSE(is_secret_of(key->public_key(), {}));
  }
  const auto key = software_rsa_key(1024);
  const PublicKey public_key = key->public_key();
  const auto& rsa = std::get<RsaPrivateKey>(key->parts);
  for (const Secret* const part :
       {&rsa.private_exponent, &rsa.prime_1, &rsa.prime_2, &rsa.exponent_1, &rsa.exponent_2}) {
    CHECK(is_secret_of(public_key, part->bytes()));
    CHECK_FALSE(is_secret_of(public_key, changed(part->bytes())));
  }
  const auto& numbers = std::get<RsaPublicKey>(public_key);
  for (const Bytes& harmless :
       {Bytes(), Bytes{0}, Bytes{1}, Bytes{2}, numbers.modulus, numbers.exponent, Bytes(64, 0), Bytes(128, 0xff)}) {
    CAPTURE(harmless.size());
    CHECK_FALSE(is_secret_of(public_key, harmless));
  }
}

TEST_CASE("what is wrapped under the probe's own RSA key opens, and nothing else does") {
  const SoftwareRsaKey key;
  const SoftwareRsaKey other;
  CHECK(key.public_key().modulus.size() == 256);
  CHECK_FALSE(key.public_key() == other.public_key());
  const std::string text = "a private key, for all that is known here";
  const Bytes by_pkcs1 = wrapped_under(key.public_key(), text, RSA_PKCS1_PADDING);
  const Bytes by_oaep = wrapped_under(key.public_key(), text, RSA_PKCS1_OAEP_PADDING);
  REQUIRE(key.open(by_pkcs1, false));
  CHECK(key.open(by_pkcs1, false)->view() == text);
  REQUIRE(key.open(by_oaep, true));
  CHECK(key.open(by_oaep, true)->view() == text);
  CHECK_FALSE(key.open(by_pkcs1, true));
  CHECK_FALSE(other.open(by_oaep, true));
  CHECK_FALSE(key.open({}, true));
}
