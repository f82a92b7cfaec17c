// `hsm-signer policy ...`: which profiles there are, and whether a file is one. None touches the token or the store.
#pragma once

#include <iosfwd>
#include <string>

#include "policy/policies.h"

namespace hsmsigner::app {

// All of them write to `out` and throw Error{invalid_object} with every fault otherwise.
void list_policies(const policy::Policies& policies, const policy::PolicyOptions& options, std::ostream& out);
// The profile as it was written.
void show_policy(const policy::Policies& policies, const std::string& name, std::ostream& out);
// A profile that could stand in policy.directory.
void check_policy(const std::string& file, std::ostream& out);

}  // namespace hsmsigner::app
