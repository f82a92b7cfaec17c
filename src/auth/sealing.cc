#include "auth/sealing.h"

#include <openssl/rand.h>

#include "auth/hmac.h"
#include "base/base64.h"
#include "crypto/openssl.h"

namespace hsmsigner::auth {
namespace {

constexpr std::size_t kNonce = 12;  // SP 800-38D 5.2.1.1
constexpr std::size_t kTag = 16;

using crypto::EvpCipherCtxPtr;
using crypto::octets_of;

Bytes hmac(std::string_view key, std::string_view data) { return hmac_sha256(octets_of(key), octets_of(data)); }

// Apart from what keyed_digest() gives: that stands in the database.
Bytes sealing_key(std::string_view key, std::string_view context) {
  return hmac(key, "hsm-signer sealed answer\n" + std::string(context));
}

}  // namespace

std::string keyed_digest(std::string_view key, std::string_view purpose, std::string_view data) {
  std::string text;
  text.reserve(purpose.size() + 1 + data.size());
  text += purpose;
  text += '\n';
  text += data;
  const Bytes value = hmac(key, text);
  cleanse(text);
  return to_hex(value);
}

std::string seal(std::string_view key, std::string_view context, std::string_view plain) {
  const crypto::CleanErrorQueue clean;
  Bytes secret = sealing_key(key, context);
  Bytes out(kNonce + plain.size() + kTag);
  crypto::require(RAND_bytes(out.data(), kNonce), "RAND_bytes");
  const EvpCipherCtxPtr cipher(EVP_CIPHER_CTX_new());
  int written = 0;
  const bool good =
      cipher && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, secret.data(), out.data()) == 1 &&
      EVP_EncryptUpdate(cipher.get(), out.data() + kNonce, &written, octets_of(plain).data(),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), out.data() + kNonce + written, &written) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag, out.data() + kNonce + plain.size()) == 1;
  cleanse(secret);
  crypto::require(good, "AES-256-GCM");
  return to_base64(out);
}

std::optional<Secret> open_sealed(std::string_view key, std::string_view context, std::string_view sealed) {
  std::optional<Bytes> in = from_base64(sealed);
  if (!in || in->size() < kNonce + kTag) return std::nullopt;
  const std::size_t size = in->size() - kNonce - kTag;
  const crypto::CleanErrorQueue clean;
  Bytes secret = sealing_key(key, context);
  Bytes plain(size + 1);
  const EvpCipherCtxPtr cipher(EVP_CIPHER_CTX_new());
  int written = 0;
  const bool good =
      cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, secret.data(), in->data()) == 1 &&
      EVP_DecryptUpdate(cipher.get(), plain.data(), &written, in->data() + kNonce, static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag, in->data() + kNonce + size) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), plain.data() + written, &written) == 1;
  cleanse(secret);
  std::optional<Secret> opened;
  if (good) opened.emplace(ByteView(plain.data(), size));
  cleanse(plain);
  return opened;
}

}  // namespace hsmsigner::auth
