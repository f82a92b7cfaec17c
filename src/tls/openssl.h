// OpenSSL's types as owners, and its errors as text. Private to this room.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace hsmsigner::tls {

template <auto free_function>
struct Free {
  template <typename T>
  void operator()(T* object) const noexcept {
    free_function(object);
  }
};

using BioPtr = std::unique_ptr<BIO, Free<BIO_free>>;
using EvpMdCtxPtr = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using EvpPkeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using SslPtr = std::unique_ptr<SSL, Free<SSL_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;

// This thread's error queue, which is then empty.
std::string openssl_errors();

// Throws Error{internal_error}.
[[noreturn]] void throw_openssl(std::string_view what, SourcePlace where = SourcePlace::here());

inline void require(long result, std::string_view what, SourcePlace where = SourcePlace::here()) {
  if (result != 1) throw_openssl(what, where);
}
template <typename Pointer>
Pointer require_pointer(Pointer pointer, std::string_view what, SourcePlace where = SourcePlace::here()) {
  if (!pointer) throw_openssl(what, where);
  return pointer;
}

// A BIO that reads `text`, which it does not copy.
BioPtr reader_of(std::string_view text);

// Every certificate in a PEM text, in its order; what else is in it is passed over. Throws Error{invalid_object},
// "`setting`: …", when there is none or one is broken.
std::vector<X509Ptr> read_certificates(std::string_view pem, const std::string& setting);

// X509_NAME_oneline, the form that a certificate's record has.
std::string one_line(const X509_NAME* name);

}  // namespace hsmsigner::tls
