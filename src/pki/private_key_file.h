// Private keys as files hold them: PEM (RFC 7468) and DER, PKCS#8 plain and encrypted (RFC 5208), and the traditional
// forms (RFC 8017 A.1.2 RSAPrivateKey, RFC 5915 ECPrivateKey; encrypted as OpenSSL does it, "Proc-Type: 4,ENCRYPTED").
#pragma once

#include <optional>
#include <string>

#include "base/private_key.h"
#include "base/secret.h"

namespace hsmsigner::pki {

// Reads the one private key of a file; PEM or DER is seen from the octets. RSA and EC on the curves of the algorithm
// table. Throws Error{invalid_object} with a sentence that begins with the field's name as the HTTP contract has it:
// "key_file: …" (no key, several keys, an unsupported kind, a public key or a certificate in its place) or
// "passphrase: …" (needed and not given, wrong). Works under no lock, without a prompt. Thread safe.
PrivateKey parse_private_key(const Secret& file, const Secret* passphrase);

// Encrypted PKCS#8 in PEM: PBES2 with PBKDF2-HMAC-SHA-256, AES-256-CBC and kPbkdf2Rounds rounds (RFC 8018).
std::string encrypted_private_key_pem(const Secret& pkcs8, const Secret& passphrase);

inline constexpr int kPbkdf2Rounds = 200'000;

}  // namespace hsmsigner::pki
