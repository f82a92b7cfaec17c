// Between base/signer.h's PublicKey and OpenSSL's forms of a SubjectPublicKeyInfo. Private to this room.
#pragma once

#include "base/signer.h"
#include "pki/openssl.h"

namespace hsmsigner::pki {

// Writes algorithm, parameters and key (RFC 3279 2.3.1, RFC 5480 2) without decoding them, which is what makes this
// cheap: whoever parses the result finds out whether the point is on the curve.
void write_public_key(X509_PUBKEY* out, const PublicKey& key);

// The content octets of the subjectPublicKey BIT STRING. Valid while `key` lives.
ByteView public_key_octets(const X509_PUBKEY* key);

// Throws Error{invalid_object} for anything but rsaEncryption and the named curves of the algorithm table with an
// uncompressed point.
PublicKey read_public_key(const X509_PUBKEY* key);

// Throws Error{internal_error} when OpenSSL cannot use the key.
EvpPkeyPtr to_evp_pkey(const PublicKey& key);

}  // namespace hsmsigner::pki
