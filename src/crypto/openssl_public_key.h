// Between base/signer.h's PublicKey and OpenSSL's forms of a SubjectPublicKeyInfo. For the rooms that use OpenSSL, as
// openssl.h is.
#pragma once

#include <openssl/x509.h>

#include "base/signer.h"
#include "crypto/openssl.h"

namespace hsmsigner::crypto {

// Writes algorithm, parameters and key (RFC 3279 2.3.1, RFC 5480 2) without decoding them, which is what makes this
// cheap: whoever parses the result finds out whether the point is on the curve.
void write_public_key(X509_PUBKEY* out, const PublicKey& key);

// The content octets of the subjectPublicKey BIT STRING. Valid while `key` lives.
ByteView public_key_octets(const X509_PUBKEY* key);

// Throws Error{invalid_object}, "the public key …", for anything but rsaEncryption and the named curves of the
// algorithm table with an uncompressed point.
PublicKey read_public_key(const X509_PUBKEY* key);

// Throws Error{internal_error} when OpenSSL cannot use the key.
EvpPkeyPtr to_evp_pkey(const PublicKey& key);

// verifies() of signature.h with a key that need not be made anew each time. Thread safe.
bool verifies(EVP_PKEY* key, Digest digest, ByteView digest_value, ByteView signature);

}  // namespace hsmsigner::crypto
