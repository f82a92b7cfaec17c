#include "hsm/probe_agreement.h"

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "crypto/digest.h"
#include "crypto/openssl.h"

namespace hsmsigner::hsm {

using crypto::CleanErrorQueue;
using crypto::EvpPkeyCtxPtr;
using crypto::EvpPkeyPtr;
using crypto::require;
using crypto::require_pointer;

struct SoftwareEcKey::Pair {
  EvpPkeyPtr pkey;
};

SoftwareEcKey::SoftwareEcKey() : pair_(std::make_unique<Pair>()) {
  const CleanErrorQueue clean;
  char curve[] = "P-256";  // what EVP_EC_gen does, whose cast clang refuses
  pair_->pkey = require_pointer(EvpPkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve)), "EVP_PKEY_Q_keygen");
  unsigned char* encoded = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(pair_->pkey.get(), &encoded);
  require(size > 0, "EVP_PKEY_get1_encoded_public_key");
  point_.assign(encoded, encoded + size);
  OPENSSL_free(encoded);
}

SoftwareEcKey::~SoftwareEcKey() = default;

std::optional<Secret> SoftwareEcKey::agree(ByteView other, AgreementKdf kdf) const {
  const CleanErrorQueue clean;
  const auto peer = require_pointer(EvpPkeyPtr(EVP_PKEY_new()), "EVP_PKEY_new");
  require(EVP_PKEY_copy_parameters(peer.get(), pair_->pkey.get()), "EVP_PKEY_copy_parameters");
  if (EVP_PKEY_set1_encoded_public_key(peer.get(), other.data(), other.size()) != 1) return std::nullopt;
  const auto context = require_pointer(EvpPkeyCtxPtr(EVP_PKEY_CTX_new(pair_->pkey.get(), nullptr)), "EVP_PKEY_CTX_new");
  require(EVP_PKEY_derive_init(context.get()), "EVP_PKEY_derive_init");
  if (EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1) return std::nullopt;
  Bytes agreed(32);
  std::size_t size = agreed.size();
  require(EVP_PKEY_derive(context.get(), agreed.data(), &size) == 1 && size == agreed.size(), "EVP_PKEY_derive");
  if (kdf == AgreementKdf::sha256) {
    Bytes input = agreed;
    input.insert(input.end(), {0, 0, 0, 1});
    cleanse(agreed);
    agreed = crypto::hash(Digest::sha256, input);
    cleanse(input);
  }
  Secret key{ByteView(agreed)};
  cleanse(agreed);
  return key;
}

}  // namespace hsmsigner::hsm
