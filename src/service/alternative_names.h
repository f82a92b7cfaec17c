// The subject alternative names that a request leads to (HTTP contract, section 2).
#pragma once

#include <vector>

#include "pki/certificate.h"
#include "service/generation.h"

namespace hsmsigner::service {

// `email` and the request's own names, each once, in that order. With none of them, a common name that is an IP
// address, a mail address or a host name becomes the one alternative name; any other common name gives none.
std::vector<pki::AlternativeName> alternative_names_of(const GenerateRequest& request);

}  // namespace hsmsigner::service
