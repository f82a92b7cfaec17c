// OpenSSL's TLS types as owners, and what crypto/openssl.h offers. Private to this room.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/openssl.h"

namespace hsmsigner::tls {

using crypto::BioPtr;
using crypto::EvpPkeyPtr;
using crypto::openssl_errors;
using crypto::OpensslFree;
using crypto::require;
using crypto::require_pointer;
using crypto::throw_openssl;

using EvpMdCtxPtr = std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslFree<SSL_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;

// A BIO that reads `text`, which it does not copy.
BioPtr reader_of(std::string_view text);

// Every certificate in a PEM text, in its order; what else is in it is passed over. Throws Error{invalid_object},
// "`setting`: …", when there is none or one is broken.
std::vector<X509Ptr> read_certificates(std::string_view pem, const std::string& setting);

// X509_NAME_oneline, the form that a certificate's record has.
std::string one_line(const X509_NAME* name);

}  // namespace hsmsigner::tls
