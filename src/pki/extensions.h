// The extensions of an issued certificate (RFC 5280 4.2). Private to this room.
#pragma once

#include "pki/certificate_builder.h"
#include "pki/openssl.h"

namespace hsmsigner::pki {

// SHA-1 of the subjectPublicKey BIT STRING (RFC 5280 4.2.1.2, method 1).
Bytes key_identifier(const X509_PUBKEY* key);
// The issuer's subjectKeyIdentifier as it stands in its certificate, computed where it has none.
Bytes key_identifier_of_issuer(X509* issuer);

void free_extensions(STACK_OF(X509_EXTENSION) * extensions) noexcept;
using EncodedExtensions = std::unique_ptr<STACK_OF(X509_EXTENSION), OpensslFree<free_extensions>>;

// Every extension of the certificate that `spec` asks for.
// Throws Error{invalid_object}, naming the field, for what cannot be encoded.
EncodedExtensions make_certificate_extensions(const CertificateSpec& spec, KeyFamily subject_family,
                                              ByteView subject_key_id, ByteView authority_key_id);

// What of them a subject can ask an authority for.
struct RequestedExtensions {
  bool certificate_authority = false;
  std::optional<unsigned> path_length;
  std::vector<AlternativeName> alternative_names;
};
EncodedExtensions make_requested_extensions(const RequestedExtensions& wanted, KeyFamily subject_family);

}  // namespace hsmsigner::pki
