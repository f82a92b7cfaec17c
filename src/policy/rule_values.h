// How a rule's value is read from TOML. Private to this room.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "policy/profile.h"

namespace hsmsigner::policy {

// What is wrong with a value, to be read after the rule's name; nothing when it was taken.
using Fault = std::optional<std::string>;
using ReadValue = std::function<Fault(Rules&, const toml::node&)>;

inline constexpr std::size_t kMostItems = 1000;  // of a list

template <typename T>
using RuleMember = std::optional<T> Rules::*;

ReadValue flag(RuleMember<bool> member);
ReadValue whole_number(RuleMember<unsigned> member, std::int64_t least, std::int64_t most);
ReadValue algorithm_list(RuleMember<std::vector<std::string>> member);
ReadValue digest_list(RuleMember<std::vector<Digest>> member);
// A number of days, or steps: [{ from = 2026-03-15, days = 200 }, ...], ascending.
ReadValue validity(RuleMember<std::vector<ValidityStep>> member);

enum class Empty { refused, allowed };
ReadValue domain_list(RuleMember<std::vector<std::string>> member, Empty empty);
ReadValue ip_range_list(RuleMember<std::vector<IpRange>> member, Empty empty);
ReadValue word_list(RuleMember<std::vector<std::string>> member, std::vector<std::string> words);
// "self", "external", "folder:Infra/Root", or a UUID.
ReadValue issuer_list(RuleMember<std::vector<IssuerEntry>> member);

}  // namespace hsmsigner::policy
