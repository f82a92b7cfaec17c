#include "auth/rs256.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <memory>

#include "base/error.h"

namespace hsmsigner::auth {
namespace {

template <auto free_function>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const noexcept {
    free_function(object);
  }
};
using BignumPtr = std::unique_ptr<BIGNUM, OpensslFree<BN_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, OpensslFree<EVP_PKEY_CTX_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>>;
using ParametersPtr = std::unique_ptr<OSSL_PARAM, OpensslFree<OSSL_PARAM_free>>;
using ParameterBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, OpensslFree<OSSL_PARAM_BLD_free>>;

// A signature that does not verify leaves its reason in this thread's error queue, where others would find it.
struct CleanErrorQueue {
  ~CleanErrorQueue() { ERR_clear_error(); }
};

void require(bool done, const char* what) {
  if (!done) throw Error(ErrorKind::internal_error).with_cause(what);
}

const unsigned char* octets_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

BignumPtr number_from(const Bytes& octets) {
  return BignumPtr(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
}

KeyPtr to_evp_pkey(const RsaPublicKey& key) {
  const BignumPtr modulus = number_from(key.modulus);
  const BignumPtr exponent = number_from(key.exponent);
  const ParameterBuilderPtr builder(OSSL_PARAM_BLD_new());
  require(modulus && exponent && builder &&
              OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) &&
              OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()),
          "OSSL_PARAM_BLD_push_BN");
  const ParametersPtr parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  require(parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
              EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1,
          "EVP_PKEY_fromdata");
  return KeyPtr(made);
}

}  // namespace

Bytes sha256(std::string_view text) {
  Bytes digest(32);
  require(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1, "EVP_Digest");
  return digest;
}

bool rs256_verifies(const RsaPublicKey& key, std::string_view text, ByteView signature) {
  const CleanErrorQueue queue;
  const KeyPtr pkey = to_evp_pkey(key);
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  require(context && EVP_DigestVerifyInit(context.get(), &key_context, EVP_sha256(), nullptr, pkey.get()) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PADDING) == 1,
          "EVP_DigestVerifyInit");
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), octets_of(text), text.size()) == 1;
}

}  // namespace hsmsigner::auth
