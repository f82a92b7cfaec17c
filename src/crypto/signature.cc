#include "crypto/signature.h"

#include <openssl/rsa.h>

#include "crypto/openssl_public_key.h"

namespace hsmsigner::crypto {
namespace {

// Nothing for numbers that are no key.
EvpPkeyPtr usable_key(const PublicKey& key) {
  try {
    return to_evp_pkey(key);
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace

bool verifies(const PublicKey& key, Digest digest, ByteView digest_value, ByteView signature) {
  const CleanErrorQueue clean;
  if (digest_value.size() != info(digest).size) return false;
  if (why_cannot_sign(family_of(key), bits_of(key), digest)) return false;
  const EvpPkeyPtr pkey = usable_key(key);
  return pkey && verifies(pkey.get(), digest, digest_value, signature);
}

bool verifies(EVP_PKEY* key, Digest digest, ByteView digest_value, ByteView signature) {
  const CleanErrorQueue clean;
  const EvpPkeyCtxPtr context = require_pointer(EvpPkeyCtxPtr(EVP_PKEY_CTX_new(key, nullptr)), "EVP_PKEY_CTX_new");
  if (EVP_PKEY_verify_init(context.get()) != 1) return false;
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1) {
    return false;
  }
  return EVP_PKEY_CTX_set_signature_md(context.get(), evp_md(digest)) == 1 &&
         EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest_value.data(), digest_value.size()) ==
             1;
}

}  // namespace hsmsigner::crypto
