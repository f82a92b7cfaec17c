#include "hsm/software_crypto.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "base/der.h"
#include "crypto/openssl.h"

namespace hsmsigner::hsm {
namespace {

using crypto::CleanErrorQueue;
using crypto::EvpCipherCtxPtr;
using EvpCipherPtr = std::unique_ptr<EVP_CIPHER, crypto::OpensslFree<EVP_CIPHER_free>>;

class WipedBytes {
 public:
  explicit WipedBytes(std::size_t size) : octets_(size) {}
  ~WipedBytes() { cleanse(octets_); }
  WipedBytes(const WipedBytes&) = delete;
  WipedBytes& operator=(const WipedBytes&) = delete;

  std::uint8_t* data() noexcept { return octets_.data(); }
  std::size_t size() const noexcept { return octets_.size(); }
  ByteView first(std::size_t count) const noexcept { return ByteView(octets_).first(count); }

 private:
  Bytes octets_;
};

// Writes at most input.size() + 2 * kAesBlock octets and tells how many; nothing when the input was not made so.
std::optional<std::size_t> run_cipher(WrappingForm form, bool encrypt, ByteView key, ByteView iv, ByteView input,
                                      std::uint8_t* out) {
  const bool key_wrap = form == WrappingForm::key_wrap_pad;
  crypto::require(key.size() == kWrappingKeySize && iv.size() == (key_wrap ? 0 : kAesBlock), "sizes of a wrapping");
  const EvpCipherPtr cipher = crypto::require_pointer(
      EvpCipherPtr(EVP_CIPHER_fetch(nullptr, key_wrap ? "AES-256-WRAP-PAD" : "AES-256-CBC", nullptr)),
      "EVP_CIPHER_fetch");
  const EvpCipherCtxPtr context = crypto::require_pointer(EvpCipherCtxPtr(EVP_CIPHER_CTX_new()), "EVP_CIPHER_CTX_new");
  if (key_wrap) EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  crypto::require(EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), key_wrap ? nullptr : iv.data(),
                                     encrypt ? 1 : 0, nullptr),
                  "start a wrapping");
  int body = 0;
  int rest = 0;
  if (EVP_CipherUpdate(context.get(), out, &body, input.data(), static_cast<int>(input.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), out + body, &rest) != 1 || body < 0 || rest < 0) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(body) + static_cast<std::size_t>(rest);
}

// How many octets the SEQUENCE at the beginning has, header included (X.690 8.1.3); nothing if there is none that ends.
std::optional<std::size_t> size_of_sequence(ByteView octets) {
  if (octets.size() < 2 || octets[0] != der_tag::sequence) return std::nullopt;
  std::size_t header = 2;
  std::size_t content = octets[1];
  if (content >= 0x80) {
    const std::size_t count = content & 0x7f;
    if (count == 0 || count > 4 || octets.size() < header + count) return std::nullopt;
    content = 0;
    for (std::size_t i = 0; i < count; ++i) content = content << 8 | octets[header + i];
    header += count;
  }
  if (content > octets.size() - header) return std::nullopt;
  return header + content;
}

}  // namespace

Bytes wrap_key(WrappingForm form, ByteView key, ByteView iv, const Secret& pkcs8) {
  const CleanErrorQueue clean;
  Bytes wrapped(pkcs8.size() + 2 * kAesBlock);
  const auto size = run_cipher(form, true, key, iv, pkcs8.bytes(), wrapped.data());
  crypto::require(size.has_value(), "wrap a key");
  wrapped.resize(*size);
  return wrapped;
}

std::optional<Secret> open_key(WrappingForm form, ByteView key, ByteView iv, ByteView wrapped) {
  const CleanErrorQueue clean;
  WipedBytes opened(wrapped.size() + 2 * kAesBlock);
  const auto size = run_cipher(form, false, key, iv, wrapped, opened.data());
  if (!size) return std::nullopt;
  const auto end = size_of_sequence(opened.first(*size));
  if (!end) return std::nullopt;
  const ByteView rest = opened.first(*size).subspan(*end);
  if (rest.size() >= kAesBlock || std::ranges::any_of(rest, [](std::uint8_t octet) { return octet != 0; })) {
    return std::nullopt;
  }
  return Secret(opened.first(*end));
}

}  // namespace hsmsigner::hsm
