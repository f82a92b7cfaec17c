// The extensions of an issued certificate (RFC 5280 4.2). Private to this room.
#pragma once

#include "pki/certificate_builder.h"
#include "pki/openssl.h"

namespace hsmsigner::pki {

// SHA-1 of the subjectPublicKey BIT STRING (RFC 5280 4.2.1.2, method 1).
Bytes key_identifier(const X509_PUBKEY* key);
// The issuer's subjectKeyIdentifier as it stands in its certificate, computed where it has none.
Bytes key_identifier_of_issuer(X509* issuer);

// Adds every extension that `spec` asks for; X509's public key is already set.
// Throws Error{invalid_object}, naming the field, for what cannot be encoded.
void add_extensions(X509* x509, const CertificateSpec& spec, KeyFamily subject_family, ByteView subject_key_id,
                    ByteView authority_key_id);

}  // namespace hsmsigner::pki
