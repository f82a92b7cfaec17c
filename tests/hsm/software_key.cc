#include "software_key.h"

#include <doctest/doctest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "support/command.h"

namespace hsm_contract {
namespace {

using namespace hsmsigner;

template <typename T, void (*release)(T*)>
struct Free {
  void operator()(T* value) const { release(value); }
};
using Pkey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Free<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM, OSSL_PARAM_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BIGNUM, BN_free>>;

Number number(const Bytes& octets) {
  return Number(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
}

Pkey openssl_key(const PublicKey& key) {
  const Builder builder(OSSL_PARAM_BLD_new());
  Number modulus;
  Number exponent;
  const char* type = "EC";
  if (const auto* rsa = std::get_if<RsaPublicKey>(&key)) {
    type = "RSA";
    modulus = number(rsa->modulus);
    exponent = number(rsa->exponent);
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  } else {
    const auto& ec = std::get<EcPublicKey>(key);
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, info(ec.curve).openssl.data(), 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, ec.point.data(), ec.point.size());
  }
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  REQUIRE(EVP_PKEY_fromdata_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) == 1);
  return Pkey(made);
}

// Of its own length, or padded to `size`.
Bytes part(const Pkey& key, const char* name, int size = 0) {
  BIGNUM* value = nullptr;
  REQUIRE(EVP_PKEY_get_bn_param(key.get(), name, &value) == 1);
  const Number owner(value);
  Bytes octets(static_cast<std::size_t>(size == 0 ? BN_num_bytes(value) : size));
  REQUIRE(BN_bn2binpad(value, octets.data(), static_cast<int>(octets.size())) >= 0);
  return octets;
}

Secret secret_part(const Pkey& key, const char* name, int size = 0) { return Secret(ByteView(part(key, name, size))); }

Secret pkcs8_of(const Pkey& key) {
  const Pkcs8 info(EVP_PKEY2PKCS8(key.get()));
  unsigned char* der = nullptr;
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
  REQUIRE(size > 0);
  Secret secret(ByteView(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return secret;
}

}  // namespace

std::shared_ptr<const PrivateKey> software_rsa_key(unsigned bits) {
  const Pkey key(EVP_RSA_gen(bits));
  REQUIRE(key);
  RsaPrivateKey parts{{part(key, OSSL_PKEY_PARAM_RSA_N), part(key, OSSL_PKEY_PARAM_RSA_E)},
                      secret_part(key, OSSL_PKEY_PARAM_RSA_D),
                      secret_part(key, OSSL_PKEY_PARAM_RSA_FACTOR1),
                      secret_part(key, OSSL_PKEY_PARAM_RSA_FACTOR2),
                      secret_part(key, OSSL_PKEY_PARAM_RSA_EXPONENT1),
                      secret_part(key, OSSL_PKEY_PARAM_RSA_EXPONENT2),
                      secret_part(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1)};
  return std::make_shared<PrivateKey>(PrivateKey{pkcs8_of(key), std::move(parts)});
}

std::shared_ptr<const PrivateKey> software_ec_key(KeyAlgorithm curve) {
  const Pkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", info(curve).openssl.data()));
  REQUIRE(key);
  const unsigned field = (info(curve).bits + 7) / 8;
  Bytes point(1 + 2 * field);
  std::size_t size = 0;
  REQUIRE(EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) == 1);
  REQUIRE(size == point.size());
  EcPrivateKey parts{{curve, point}, secret_part(key, OSSL_PKEY_PARAM_PRIV_KEY, static_cast<int>(field))};
  return std::make_shared<PrivateKey>(PrivateKey{pkcs8_of(key), std::move(parts)});
}

bool signature_is_good(const PublicKey& key, Digest digest, const Bytes& value, const Bytes& signature) {
  const Pkey pkey = openssl_key(key);
  const Context context(EVP_PKEY_CTX_new(pkey.get(), nullptr));
  const EVP_MD* md = EVP_get_digestbyname(info(digest).name.data());
  return EVP_PKEY_verify_init(context.get()) == 1 && EVP_PKEY_CTX_set_signature_md(context.get(), md) == 1 &&
         EVP_PKEY_verify(context.get(), signature.data(), signature.size(), value.data(), value.size()) == 1;
}

std::string public_key_der(const PublicKey& key) {
  const Pkey pkey = openssl_key(key);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(pkey.get(), &der);
  REQUIRE(size > 0);
  std::string octets(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return octets;
}

std::string public_key_der(const Secret& pkcs8) {
  return test_support::run_command({"openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"},
                                   std::string(pkcs8.view()))
      .out;
}

}  // namespace hsm_contract
