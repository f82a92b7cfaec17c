// A profile's verdict on a request.
#pragma once

#include <string>
#include <vector>

#include "policy/facts.h"
#include "policy/profile.h"

namespace hsmsigner::policy {

struct Refusals {
  // One public sentence per rule that refuses, each beginning with the field's path:
  // "algorithm: profile cabf-tls, rule min-rsa-bits (BR 6.1.5): RSA keys must have at least 2048 bits".
  std::vector<std::string> details;
  std::string help;  // what the caller can do about it; may be empty
};

// All that refuse, in the order of the table. Thread safe.
Refusals check(const Profile& profile, const Facts& facts);

}  // namespace hsmsigner::policy
