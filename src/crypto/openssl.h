// OpenSSL's types as owners, its error queue, and its return codes as exceptions. For the .cc files and private headers
// of the rooms that use OpenSSL (pki, auth, hsm, tls), which link it themselves; no public header includes this one.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/error.h"

namespace hsmsigner::crypto {

template <auto free_function>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const noexcept {
    free_function(object);
  }
};
struct OpensslMemoryFree {
  void operator()(void* memory) const noexcept { OPENSSL_free(memory); }
};

using BignumPtr = std::unique_ptr<BIGNUM, OpensslFree<BN_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free>>;
using EvpCipherCtxPtr = std::unique_ptr<EVP_CIPHER_CTX, OpensslFree<EVP_CIPHER_CTX_free>>;
using EvpPkeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using EvpPkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, OpensslFree<EVP_PKEY_CTX_free>>;
using OpensslBytes = std::unique_ptr<unsigned char, OpensslMemoryFree>;
using OpensslText = std::unique_ptr<char, OpensslMemoryFree>;

// Empties this thread's OpenSSL error queue on the way in (nothing stale is blamed on this call) and out.
class CleanErrorQueue {
 public:
  CleanErrorQueue() noexcept;
  ~CleanErrorQueue();
  CleanErrorQueue(const CleanErrorQueue&) = delete;
  CleanErrorQueue& operator=(const CleanErrorQueue&) = delete;
};

// This thread's error queue as text, "; " between its lines, which is then empty. For causes only, never for details.
std::string openssl_errors();

// Drains the error queue into the cause of an Error{internal_error}. `what` names the step that failed.
[[noreturn]] void throw_openssl(std::string_view what, SourcePlace where = SourcePlace::here());

// For OpenSSL's "1 is success, anything else is not".
inline void require(long result, std::string_view what, SourcePlace where = SourcePlace::here()) {
  if (result != 1) throw_openssl(what, where);
}
// For functions and constructors that return nullptr when they fail.
template <typename Pointer>
Pointer require_pointer(Pointer pointer, std::string_view what, SourcePlace where = SourcePlace::here()) {
  if (!pointer) throw_openssl(what, where);
  return pointer;
}

const EVP_MD* evp_md(Digest digest) noexcept;

// The octets of an i2d_… function: i2d([](unsigned char** out) { return i2d_X509_NAME(name, out); }).
template <typename Encode>
Bytes i2d(Encode encode, SourcePlace where = SourcePlace::here()) {
  const int size = encode(nullptr);
  if (size <= 0) throw_openssl("encode DER", where);
  Bytes der(static_cast<std::size_t>(size));
  unsigned char* end = der.data();
  if (encode(&end) != size) throw_openssl("encode DER", where);
  return der;
}

inline ByteView octets_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace hsmsigner::crypto
