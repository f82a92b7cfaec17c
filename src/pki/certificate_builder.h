// Building certificates (RFC 5280): to-be-signed octets by OpenSSL, the signature by a Signer, which may be a token.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/signer.h"
#include "pki/certificate.h"

namespace hsmsigner::pki {

// UTF-8; empty means absent. Encoded in this order, UTF8String but for C (PrintableString) and emailAddress
// (IA5String).
struct SubjectName {
  std::string country;
  std::string state;
  std::string locality;
  std::vector<std::string> organizational_units;
  std::string common_name;
  std::string email;
};

struct CertificateSpec {
  Bytes serial;  // 1-20 octets, big-endian, positive: the top bit of the first octet is clear and the value not zero
  SubjectName subject;
  std::vector<AlternativeName> alternative_names;
  bool certificate_authority = false;
  std::optional<unsigned> path_length;  // for an authority only
  UnixTime not_before;
  UnixTime not_after;
  Digest digest;
  std::string ocsp_url;  // authorityInfoAccess id-ad-ocsp; empty: no such extension
};

// Signs a certificate for `subject_key`. `issuer` is the issuer's certificate, or nullptr for a self-signed one, in
// which case `signer` holds the subject's own key. The result was parsed again and its signature verified under the
// signer's public key, so that what leaves this function is what a relying party will accept.
// Throws Error: invalid_object (names the field) for what cannot be encoded, internal_error when the signature does not
// verify, and whatever the signer throws. Thread safe.
Certificate build_certificate(const CertificateSpec& spec, const PublicKey& subject_key, const Certificate* issuer,
                              Signer& signer, Deadline deadline);

}  // namespace hsmsigner::pki
