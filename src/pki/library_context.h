// The OpenSSL library contexts beside the default one. Private to this room.
#pragma once

#include <openssl/types.h>

namespace hsmsigner::pki {

// Has the legacy provider beside the default one (RC2, DES, PBKDF1: RFC 7292 appendix C, RFC 8018 A.3), so that the
// process's default context need not. Where OpenSSL comes without that provider, old encryption is "not supported".
// Made by the first call; never freed. Thread safe.
OSSL_LIB_CTX* file_library_context();

// Has no algorithm at all: what is parsed in it is parsed as ASN.1, and a public key stays octets. Made by the first
// call; never freed. Thread safe.
OSSL_LIB_CTX* structure_library_context();

}  // namespace hsmsigner::pki
