#include "hsm/probe_proof.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/algorithm.h"
#include "crypto/ec_group.h"
#include "crypto/openssl.h"
#include "crypto/signature.h"

namespace hsmsigner::hsm {
namespace {

using crypto::BignumPtr;
using crypto::CleanErrorQueue;
using crypto::EvpPkeyCtxPtr;
using crypto::EvpPkeyPtr;
using crypto::require;
using crypto::require_pointer;
using BignumContextPtr = std::unique_ptr<BN_CTX, crypto::OpensslFree<BN_CTX_free>>;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, crypto::OpensslFree<PKCS8_PRIV_KEY_INFO_free>>;

BignumPtr bignum_from(ByteView octets) {
  return require_pointer(BignumPtr(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr)), "BN_bin2bn");
}

bool is_secret_of(const EcPublicKey& key, const BIGNUM& x, BN_CTX& context) {
  const EC_GROUP* group = crypto::group_of(key.curve);
  const crypto::EcPointPtr point = crypto::new_point(key.curve);
  Bytes encoded(key.point.size());
  // Zero gives the point at infinity, whose encoding is shorter.
  return EC_POINT_mul(group, point.get(), &x, nullptr, nullptr, &context) == 1 &&
         EC_POINT_point2oct(group, point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(), encoded.size(),
                            &context) == encoded.size() &&
         encoded == key.point;
}

bool is_secret_of(const RsaPublicKey& key, const BIGNUM& x, BN_CTX& context) {
  const BignumPtr n = bignum_from(key.modulus);
  const BignumPtr e = bignum_from(key.exponent);
  const BignumPtr two = bignum_from(Bytes{2});
  const BignumPtr y = require_pointer(BignumPtr(BN_new()), "BN_new");
  if (BN_is_zero(&x) || BN_is_one(&x) || BN_cmp(&x, n.get()) >= 0) return false;
  require(BN_mod(y.get(), n.get(), &x, &context), "BN_mod");
  if (BN_is_zero(y.get())) return true;
  // 2^(ex) = 2 modulo n, or modulo one of its primes.
  require(BN_mul(y.get(), e.get(), &x, &context), "BN_mul");
  require(BN_mod_exp(y.get(), two.get(), y.get(), n.get(), &context), "BN_mod_exp");
  require(BN_mod_sub(y.get(), y.get(), two.get(), n.get(), &context), "BN_mod_sub");
  require(BN_gcd(y.get(), y.get(), n.get(), &context), "BN_gcd");
  return !BN_is_one(y.get());
}

}  // namespace

bool is_private_half(ByteView pkcs8, const PublicKey& key) {
  const CleanErrorQueue clean;
  const unsigned char* at = pkcs8.data();
  const Pkcs8Ptr decoded(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(pkcs8.size())));
  const EvpPkeyPtr pkey(decoded ? EVP_PKCS82PKEY(decoded.get()) : nullptr);
  const EvpPkeyCtxPtr context(pkey ? EVP_PKEY_CTX_new(pkey.get(), nullptr) : nullptr);
  const Bytes value(info(Digest::sha256).size, 0x5a);
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1) {
    return false;
  }
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(pkey.get())));
  std::size_t size = signature.size();
  if (EVP_PKEY_sign(context.get(), signature.data(), &size, value.data(), value.size()) != 1) return false;
  signature.resize(size);
  return crypto::verifies(key, Digest::sha256, value, signature);
}

bool is_secret_of(const PublicKey& key, ByteView number) {
  const CleanErrorQueue clean;
  const auto context = require_pointer(BignumContextPtr(BN_CTX_new()), "BN_CTX_new");
  const BignumPtr x = bignum_from(number);
  if (const auto* ec = std::get_if<EcPublicKey>(&key)) return is_secret_of(*ec, *x, *context);
  return is_secret_of(std::get<RsaPublicKey>(key), *x, *context);
}

struct SoftwareRsaKey::Pair {
  EvpPkeyPtr pkey;
};

SoftwareRsaKey::SoftwareRsaKey() : pair_(std::make_unique<Pair>()) {
  const CleanErrorQueue clean;
  pair_->pkey = require_pointer(EvpPkeyPtr(EVP_RSA_gen(2048)), "EVP_RSA_gen");
  const auto number = [&](const char* name) {
    BIGNUM* read = nullptr;
    require(EVP_PKEY_get_bn_param(pair_->pkey.get(), name, &read), "EVP_PKEY_get_bn_param");
    const BignumPtr value(read);
    Bytes octets(static_cast<std::size_t>(BN_num_bytes(value.get())));
    BN_bn2bin(value.get(), octets.data());
    return octets;
  };
  public_key_ = {number(OSSL_PKEY_PARAM_RSA_N), number(OSSL_PKEY_PARAM_RSA_E)};
}

SoftwareRsaKey::~SoftwareRsaKey() = default;

std::optional<Secret> SoftwareRsaKey::open(ByteView wrapped, bool oaep) const {
  const CleanErrorQueue clean;
  const auto context = require_pointer(EvpPkeyCtxPtr(EVP_PKEY_CTX_new(pair_->pkey.get(), nullptr)), "EVP_PKEY_CTX_new");
  require(EVP_PKEY_decrypt_init(context.get()), "EVP_PKEY_decrypt_init");
  require(EVP_PKEY_CTX_set_rsa_padding(context.get(), oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING),
          "EVP_PKEY_CTX_set_rsa_padding");
  Bytes opened(static_cast<std::size_t>(EVP_PKEY_get_size(pair_->pkey.get())));
  std::size_t size = opened.size();
  if (EVP_PKEY_decrypt(context.get(), opened.data(), &size, wrapped.data(), wrapped.size()) != 1) return std::nullopt;
  Secret content(ByteView(opened).first(size));
  cleanse(opened);
  return content;
}

}  // namespace hsmsigner::hsm
