#include "support/software_signer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <map>
#include <mutex>
#include <stdexcept>
#include <string>

namespace test_support {
namespace {

using namespace hsmsigner;

EVP_PKEY* generate(const KeyAlgorithmInfo& algorithm) {
  EVP_PKEY* key = algorithm.family == KeyFamily::rsa
                      ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{algorithm.bits})
                      : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", std::string(algorithm.openssl).c_str());
  if (key == nullptr) throw std::runtime_error("no software key");
  return key;
}

Bytes number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) throw std::runtime_error(name);
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  BN_free(number);
  return bytes;
}

PublicKey public_half(const EVP_PKEY* key, const KeyAlgorithmInfo& algorithm) {
  if (algorithm.family == KeyFamily::rsa) {
    return RsaPublicKey{number_of(key, OSSL_PKEY_PARAM_RSA_N), number_of(key, OSSL_PKEY_PARAM_RSA_E)};
  }
  Bytes point(1 + 2 * ((algorithm.bits + 7) / 8));
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) != 1 ||
      size != point.size()) {
    throw std::runtime_error("EC point");
  }
  return EcPublicKey{algorithm.algorithm, point};
}

}  // namespace

SoftwareSigner::SoftwareSigner(KeyAlgorithm algorithm)
    : key_(generate(info(algorithm)), EVP_PKEY_free), public_key_(public_half(key_.get(), info(algorithm))) {}

Bytes SoftwareSigner::sign(Digest digest, ByteView value, Deadline) {
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(EVP_PKEY_CTX_new(key_.get(), nullptr),
                                                                       EVP_PKEY_CTX_free);
  const bool rsa = family_of(public_key_) == KeyFamily::rsa;
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
  std::size_t size = signature.size();
  if (EVP_PKEY_sign_init(context.get()) != 1 ||
      (rsa && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1) ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_get_digestbyname(std::string(info(digest).name).c_str())) != 1 ||
      EVP_PKEY_sign(context.get(), signature.data(), &size, value.data(), value.size()) != 1) {
    throw std::runtime_error("the software signer cannot sign");
  }
  signature.resize(size);
  return signature;
}

SoftwareSigner& shared_signer(KeyAlgorithm algorithm, int which) {
  static std::mutex mutex;
  static std::map<std::pair<KeyAlgorithm, int>, std::unique_ptr<SoftwareSigner>> signers;
  const std::lock_guard lock(mutex);
  auto& signer = signers[{algorithm, which}];
  if (!signer) signer = std::make_unique<SoftwareSigner>(algorithm);
  return *signer;
}

}  // namespace test_support
