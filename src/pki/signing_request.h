// PKCS#10 certification requests (RFC 2986) for keys held in a token.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pki/certificate_builder.h"

namespace hsmsigner::pki {

struct SigningRequestSpec {
  SubjectName subject;
  std::vector<AlternativeName> alternative_names;
  bool certificate_authority = false;
  Digest digest;
};

// The request carries an extensionRequest (RFC 2985 5.4.2) with what a certificate of build_certificate() would have
// of: basicConstraints, keyUsage, extendedKeyUsage (leaves), subjectAltName. Signed by `signer`, then parsed and
// verified again. Throws as build_certificate() does. Thread safe. Returns PEM.
std::string build_signing_request(const SigningRequestSpec& spec, Signer& signer, Deadline deadline);

// What a request says of itself.
struct SigningRequestInfo {
  PublicKey public_key;
  std::string subject;  // OpenSSL's one-line form
  std::string subject_hash_old;
  std::vector<AlternativeName> alternative_names;
  Bytes der;
};
// Throws Error{invalid_object} when this is no PKCS#10 in PEM or its signature does not verify.
SigningRequestInfo read_signing_request(std::string_view pem);

}  // namespace hsmsigner::pki
