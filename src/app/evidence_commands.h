// `hsm-signer evidence ...`: evidence on keys (audit/key_evidence.h), checked by who trusts nobody.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

namespace hsmsigner::app {

struct EvidenceVerifyOptions {
  std::string evidence_file;
  std::string key_file;              // the audit key's public half, PEM
  std::optional<std::string> nonce;  // what the evidence must have
  std::string certificate_file;      // PEM: the one that it must be for; "": whichever
};

// Tells line by line what was verified, and returns whether all of it is good. Needs neither configuration nor token.
// Throws Error{invalid_object} for files that cannot be read, and a key or a certificate that is none; evidence that is
// none is not good.
bool verify_evidence(const EvidenceVerifyOptions& options, std::ostream& out);

}  // namespace hsmsigner::app
