// Buffers and numbers that leave nothing behind, not when they grow either. Private to this room.
#pragma once

#include <openssl/bn.h>

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"
#include "pki/openssl.h"

namespace hsmsigner::pki {

template <typename T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <typename U>
  explicit WipingAllocator(const WipingAllocator<U>&) noexcept {}
  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* data, std::size_t count) noexcept {
    cleanse(data, count * sizeof(T));
    std::allocator<T>().deallocate(data, count);
  }
  bool operator==(const WipingAllocator&) const noexcept { return true; }
};
using WipedBytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;

using SecretNumber = std::unique_ptr<BIGNUM, OpensslFree<BN_clear_free>>;
using BnContext = std::unique_ptr<BN_CTX, OpensslFree<BN_CTX_free>>;

inline SecretNumber new_secret_number() { return require_pointer(SecretNumber(BN_secure_new()), "BN_secure_new"); }
// Computed with in constant time wherever OpenSSL can.
inline SecretNumber to_secret_number(ByteView magnitude) {
  SecretNumber number = new_secret_number();
  require_pointer(BN_bin2bn(magnitude.data(), static_cast<int>(magnitude.size()), number.get()), "BN_bin2bn");
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}
// Its temporaries are cleared when they are dropped.
inline BnContext new_bn_context() { return require_pointer(BnContext(BN_CTX_secure_new()), "BN_CTX_secure_new"); }

}  // namespace hsmsigner::pki
