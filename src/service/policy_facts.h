// What a request or a file is about, put to the policy profile of its container (docs/POLICY.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pki/certificate.h"
#include "policy/policies.h"
#include "service/exchange.h"
#include "service/generation.h"
#include "service/issuer_resolver.h"
#include "store/certificate_record.h"

namespace hsmsigner::service {

// Adds one sentence per rule that refuses to `faults`; returns what the caller can do about it, or "". What is faulty
// in the request, and said so in `faults`, is not judged. `issuer` may be null, `not_after` nothing.
std::string add_refusals(const policy::Policies& policies, const GenerateRequest& request, const Issuer* issuer,
                         UnixTime not_before, std::optional<UnixTime> not_after, std::vector<std::string>& faults);

// For a certificate that comes with its key. Throws Error{invalid_object} with all refusals.
void require_importable(const policy::Policies& policies, const ImportRequest& request,
                        const pki::Certificate& certificate);
// For the certificate that this signing request waits for. Throws Error{invalid_object}.
void require_completable(const policy::Policies& policies, const store::CertificateRecord& pending,
                         const pki::Certificate& certificate);

}  // namespace hsmsigner::service
