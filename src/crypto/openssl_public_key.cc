#include "crypto/openssl_public_key.h"

#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/der.h"
#include "crypto/ec_group.h"

namespace hsmsigner::crypto {
namespace {

using ParametersBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, OpensslFree<OSSL_PARAM_BLD_free>>;
using ParametersPtr = std::unique_ptr<OSSL_PARAM, OpensslFree<OSSL_PARAM_free>>;

// RSAPublicKey (RFC 8017 A.1.1).
Bytes encode_rsa(const RsaPublicKey& key) {
  Bytes numbers;
  append_der_unsigned(numbers, key.modulus);
  append_der_unsigned(numbers, key.exponent);
  Bytes der;
  append_der(der, der_tag::sequence, numbers);
  return der;
}

int nid_of_curve(KeyAlgorithm curve) { return EC_GROUP_get_curve_name(group_of(curve)); }

std::optional<KeyAlgorithm> curve_from_nid(int nid) {
  for (const KeyAlgorithmInfo& row : key_algorithms()) {
    if (row.family == KeyFamily::ec && nid_of_curve(row.algorithm) == nid) return row.algorithm;
  }
  return std::nullopt;
}

[[noreturn]] void throw_unsupported(const char* why) {
  throw Error(ErrorKind::invalid_object, {std::string("the public key ") + why});
}

Bytes number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* found = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &found), "EVP_PKEY_get_bn_param");
  const BignumPtr number(found);
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return bytes;
}

BignumPtr to_number(ByteView magnitude) {
  return require_pointer(BignumPtr(BN_bin2bn(magnitude.data(), static_cast<int>(magnitude.size()), nullptr)),
                         "BN_bin2bn");
}

RsaPublicKey read_rsa(const X509_PUBKEY* key) {
  const EVP_PKEY* pkey = X509_PUBKEY_get0(key);
  if (pkey == nullptr) throw_unsupported("cannot be decoded");
  return RsaPublicKey{number_of(pkey, OSSL_PKEY_PARAM_RSA_N), number_of(pkey, OSSL_PKEY_PARAM_RSA_E)};
}

EcPublicKey read_ec(const X509_PUBKEY* key, const X509_ALGOR* algorithm, ByteView point) {
  int parameter_type = V_ASN1_UNDEF;
  const void* parameter = nullptr;
  X509_ALGOR_get0(nullptr, &parameter_type, &parameter, algorithm);
  // RFC 5480 2.1.1: namedCurve, never specifiedCurve or implicitCurve.
  if (parameter_type != V_ASN1_OBJECT) throw_unsupported("does not name its curve");
  const auto curve = curve_from_nid(OBJ_obj2nid(static_cast<const ASN1_OBJECT*>(parameter)));
  if (!curve) throw_unsupported("is on an unsupported curve");
  const std::size_t field = (info(*curve).bits + 7) / 8;
  if (point.size() != 1 + 2 * field || point.front() != 0x04) throw_unsupported("is not an uncompressed point");
  if (X509_PUBKEY_get0(key) == nullptr) throw_unsupported("is not a point of its curve");
  return EcPublicKey{*curve, Bytes(point.begin(), point.end())};
}

}  // namespace

void write_public_key(X509_PUBKEY* out, const PublicKey& key) {
  Bytes octets;
  int algorithm = NID_rsaEncryption;
  int parameter_type = V_ASN1_NULL;  // RFC 3279 2.3.1: parameters MUST be NULL
  ASN1_OBJECT* parameter = nullptr;
  if (const auto* rsa = std::get_if<RsaPublicKey>(&key)) {
    octets = encode_rsa(*rsa);
  } else {
    const auto& ec = std::get<EcPublicKey>(key);
    octets = ec.point;
    algorithm = NID_X9_62_id_ecPublicKey;
    parameter_type = V_ASN1_OBJECT;
    parameter = OBJ_nid2obj(nid_of_curve(ec.curve));  // static, never freed
  }
  if (octets.empty()) throw_openssl("the public key is empty");
  OpensslBytes copy(static_cast<unsigned char*>(OPENSSL_memdup(octets.data(), octets.size())));
  require_pointer(copy.get(), "OPENSSL_memdup");
  require(X509_PUBKEY_set0_param(out, OBJ_nid2obj(algorithm), parameter_type, parameter, copy.get(),
                                 static_cast<int>(octets.size())),
          "X509_PUBKEY_set0_param");
  copy.release();  // now owned by `out`
}

ByteView public_key_octets(const X509_PUBKEY* key) {
  const unsigned char* octets = nullptr;
  int size = 0;
  require(X509_PUBKEY_get0_param(nullptr, &octets, &size, nullptr, key), "X509_PUBKEY_get0_param");
  return {octets, static_cast<std::size_t>(size)};
}

PublicKey read_public_key(const X509_PUBKEY* key) {
  ASN1_OBJECT* type = nullptr;
  X509_ALGOR* algorithm = nullptr;
  require(X509_PUBKEY_get0_param(&type, nullptr, nullptr, &algorithm, key), "X509_PUBKEY_get0_param");
  switch (OBJ_obj2nid(type)) {
    case NID_rsaEncryption: return read_rsa(key);
    case NID_X9_62_id_ecPublicKey: return read_ec(key, algorithm, public_key_octets(key));
    default: throw_unsupported("is neither RSA nor EC");
  }
}

EvpPkeyPtr to_evp_pkey(const PublicKey& key) {
  // From its numbers: OpenSSL 3's decoders would take longer than the signature that is verified.
  const ParametersBuilderPtr builder =
      require_pointer(ParametersBuilderPtr(OSSL_PARAM_BLD_new()), "OSSL_PARAM_BLD_new");
  BignumPtr modulus;
  BignumPtr exponent;
  const auto* rsa = std::get_if<RsaPublicKey>(&key);
  if (rsa != nullptr) {
    modulus = to_number(rsa->modulus);
    exponent = to_number(rsa->exponent);
    require(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()), "OSSL_PARAM_BLD_push_BN");
    require(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()), "OSSL_PARAM_BLD_push_BN");
  } else {
    const auto& ec = std::get<EcPublicKey>(key);
    const std::string_view group = info(ec.curve).openssl;
    require(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
            "OSSL_PARAM_BLD_push_utf8_string");
    require(OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, ec.point.data(), ec.point.size()),
            "OSSL_PARAM_BLD_push_octet_string");
  }
  const ParametersPtr parameters =
      require_pointer(ParametersPtr(OSSL_PARAM_BLD_to_param(builder.get())), "OSSL_PARAM_BLD_to_param");
  const EvpPkeyCtxPtr context = require_pointer(
      EvpPkeyCtxPtr(EVP_PKEY_CTX_new_from_name(nullptr, rsa != nullptr ? "RSA" : "EC", nullptr)), "EVP_PKEY_CTX_new");
  EVP_PKEY* made = nullptr;
  require(EVP_PKEY_fromdata_init(context.get()), "EVP_PKEY_fromdata_init");
  require(EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()), "EVP_PKEY_fromdata");
  return EvpPkeyPtr(made);
}

}  // namespace hsmsigner::crypto
