// Public keys as SubjectPublicKeyInfo (RFC 5280 4.1.2.7), in DER and PEM.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/signer.h"

namespace hsmsigner::crypto {

// All but public_key_from_pem() throw Error{internal_error} for numbers that are no key. Thread safe.

Bytes public_key_der(const PublicKey& key);
// "-----BEGIN PUBLIC KEY-----…", as `openssl pkey -pubout` writes it.
std::string public_key_pem(const PublicKey& key);
// One PEM block of it, of an RSA key of 512 to 16384 bits or of a P-256, P-384 or P-521 key, and nothing before or
// after it but blanks. Throws Error{invalid_object}, "must be …", for anything else.
PublicKey public_key_from_pem(std::string_view pem);
// SHA-256 over the DER, 64 lower-case hexadecimal digits: by which people compare keys
// (`openssl pkey -pubin -in FILE -outform DER | openssl dgst -sha256`).
std::string public_key_fingerprint(const PublicKey& key);

}  // namespace hsmsigner::crypto
