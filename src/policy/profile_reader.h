// A profile from TOML (docs/POLICY.md, "A profile of your own").
#pragma once

#include <string>
#include <string_view>

#include "policy/profile.h"

namespace hsmsigner::policy {

inline constexpr std::size_t kLongestProfile = 262144;  // octets

// Throws Error{invalid_object} with every fault: "rules.min-rsa-bits (line 4): must be a whole number". Unknown keys
// are named, as a mistyped rule would refuse nothing.
Profile parse_profile(const std::string& text);

// The same for a file. Throws Error{invalid_object} also for a file that cannot be read or is longer than
// kLongestProfile.
Profile load_profile(const std::string& file);

}  // namespace hsmsigner::policy
