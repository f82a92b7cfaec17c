// What a certificate and a certification request have in common: SEQUENCE { what is signed, signatureAlgorithm,
// signature BIT STRING } (RFC 5280 4.1, RFC 2986 4.2). Private to this room.
#pragma once

#include "base/algorithm.h"
#include "base/signer.h"
#include "pki/openssl.h"

namespace hsmsigner::pki {

// Throws Error{invalid_object}, naming the field "digest", when this key cannot sign such a digest.
void check_can_sign(const Signer& signer, Digest digest);

// RSA: parameters NULL (RFC 4055 5, RFC 3279 2.2.1); ECDSA: absent (RFC 5758 3.2).
void set_signature_algorithm(X509_ALGOR* algorithm, KeyFamily family, Digest digest);

Bytes assemble_signed(ByteView to_be_signed, const X509_ALGOR* algorithm, ByteView signature);

}  // namespace hsmsigner::pki
