// The tables against OpenSSL, which knows the same things from elsewhere.
#include "base/algorithm.h"

#include <doctest/doctest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <memory>
#include <string>

using namespace hsmsigner;

namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free>;

Key make_rsa(unsigned bits) { return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits})); }

// Empty when OpenSSL refuses.
Bytes sign_pkcs1(EVP_PKEY* key, const DigestAlgorithmInfo& digest, const Bytes& value) {
  const Context context(EVP_PKEY_CTX_new(key, nullptr));
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = signature.size();
  REQUIRE(EVP_PKEY_sign_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1);
  REQUIRE(EVP_PKEY_CTX_set_signature_md(context.get(), EVP_get_digestbyname(std::string(digest.name).c_str())) == 1);
  if (EVP_PKEY_sign(context.get(), signature.data(), &size, value.data(), value.size()) != 1) return {};
  return signature;
}

// The signed block: signature ^ e mod n.
Bytes open_signature(EVP_PKEY* key, const Bytes& signature) {
  const Context context(EVP_PKEY_CTX_new(key, nullptr));
  Bytes block(signature.size());
  std::size_t size = block.size();
  REQUIRE(EVP_PKEY_encrypt_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1);
  REQUIRE(EVP_PKEY_encrypt(context.get(), block.data(), &size, signature.data(), signature.size()) == 1);
  block.resize(size);
  return block;
}

}  // namespace

TEST_CASE("info() finds each row by its own enumerator") {
  for (const KeyAlgorithmInfo& row : key_algorithms()) CHECK(&info(row.algorithm) == &row);
  for (const DigestAlgorithmInfo& row : digests()) CHECK(&info(row.digest) == &row);
}

TEST_CASE("curves: parameters, name and size are those of OpenSSL") {
  for (const KeyAlgorithmInfo& row : key_algorithms()) {
    CAPTURE(row.name);
    if (row.family == KeyFamily::rsa) {
      CHECK(row.ec_parameters.empty());
      CHECK(row.weak == (row.bits < 2048));
      continue;
    }
    const unsigned char* at = row.ec_parameters.data();
    ASN1_OBJECT* object = d2i_ASN1_OBJECT(nullptr, &at, static_cast<long>(row.ec_parameters.size()));
    REQUIRE(object != nullptr);
    const int nid = OBJ_obj2nid(object);
    ASN1_OBJECT_free(object);
    CHECK(at == row.ec_parameters.data() + row.ec_parameters.size());
    CHECK(nid == OBJ_sn2nid(std::string(row.openssl).c_str()));
    const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", std::string(row.openssl).c_str()));
    REQUIRE(key);
    CHECK(EVP_PKEY_get_bits(key.get()) == static_cast<int>(row.bits));
    CHECK(curve_from_ec_parameters(row.ec_parameters) == row.algorithm);
  }
  CHECK_FALSE(curve_from_ec_parameters({}).has_value());
  CHECK_FALSE(curve_from_ec_parameters(Bytes{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a}).has_value());  // secp256k1
}

TEST_CASE("digests: names and sizes are those of OpenSSL") {
  for (const DigestAlgorithmInfo& row : digests()) {
    CAPTURE(row.name);
    const EVP_MD* md = EVP_get_digestbyname(std::string(row.name).c_str());
    REQUIRE(md != nullptr);
    CHECK(EVP_MD_get_size(md) == static_cast<int>(row.size));
    CHECK(digest_from_name(row.name) == row.digest);
    int signature_nid = NID_undef;
    CHECK(row.ecdsa == (OBJ_find_sigid_by_algs(&signature_nid, EVP_MD_get_type(md), NID_X9_62_id_ecPublicKey) == 1));
  }
  for (const char* name : {"", "SHA256", "sha224", "sha256 "}) CHECK_FALSE(digest_from_name(name).has_value());
}

TEST_CASE("an RSA signature of OpenSSL's holds our DigestInfo prefix before the digest") {
  const Key key = make_rsa(2048);
  REQUIRE(key);
  for (const DigestAlgorithmInfo& row : digests()) {
    CAPTURE(row.name);
    const Bytes value(row.size, 0xab);
    const Bytes block = open_signature(key.get(), sign_pkcs1(key.get(), row, value));
    // RFC 8017 9.2: 00 01 FF … FF 00 DigestInfo
    Bytes expected = {0x00, 0x01};
    expected.resize(256 - 1 - row.digest_info_prefix.size() - row.size, 0xff);
    expected.push_back(0x00);
    expected.insert(expected.end(), row.digest_info_prefix.begin(), row.digest_info_prefix.end());
    expected.insert(expected.end(), value.begin(), value.end());
    CHECK(block == expected);
  }
}

TEST_CASE("why_cannot_sign refuses the RSA sizes that OpenSSL refuses, and no other") {
  for (const unsigned bits : {512U, 592U, 600U, 616U, 624U, 632U, 744U, 752U, 1024U, 2048U}) {
    const Key key = make_rsa(bits);
    REQUIRE(key);
    for (const DigestAlgorithmInfo& row : digests()) {
      CAPTURE(bits);
      CAPTURE(row.name);
      const bool openssl_can = !sign_pkcs1(key.get(), row, Bytes(row.size, 0x11)).empty();
      CHECK(why_cannot_sign(KeyFamily::rsa, bits, row.digest).has_value() == !openssl_can);
    }
  }
}

TEST_CASE("why_cannot_sign names the reason") {
  CHECK(why_cannot_sign(KeyFamily::rsa, 512, Digest::sha384) ==
        "an RSA key of 512 bits cannot sign sha384: its block of 64 octets is shorter than the 78 needed");
  CHECK(why_cannot_sign(KeyFamily::ec, 256, Digest::md5) == "no ECDSA signature exists with md5");
  CHECK_FALSE(why_cannot_sign(KeyFamily::rsa, 512, Digest::sha256).has_value());
  CHECK_FALSE(why_cannot_sign(KeyFamily::ec, 256, Digest::sha512).has_value());
}

TEST_CASE("family and bits of a public key") {
  Bytes modulus(64, 0xff);
  CHECK(bits_of(RsaPublicKey{modulus, {3}}) == 512);
  modulus.front() = 0x01;
  CHECK(bits_of(RsaPublicKey{modulus, {3}}) == 505);
  CHECK(bits_of(RsaPublicKey{}) == 0);
  CHECK(bits_of(EcPublicKey{KeyAlgorithm::ec_p521, {}}) == 521);
  CHECK(family_of(RsaPublicKey{}) == KeyFamily::rsa);
  CHECK(family_of(EcPublicKey{KeyAlgorithm::ec_p256, {}}) == KeyFamily::ec);
}
