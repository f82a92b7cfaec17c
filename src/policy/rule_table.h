// The one table of rules: what a profile may say, how it is read, when it is asked and what it refuses. A row is
// documented in docs/POLICY.md and tested in tests/policy, which walk this table.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "policy/facts.h"
#include "policy/profile.h"
#include "policy/rule_checks.h"
#include "policy/rule_values.h"

namespace hsmsigner::policy {

struct Rule {
  std::string_view name;  // "min-rsa-bits"
  unsigned acts;          // sum of Act
  ReadValue read;
  // Finds nothing where the profile has not the rule, or what it is about is not known.
  std::vector<Finding> (*check)(const Rules&, const Facts&);
  std::string_view help;  // what who was refused can do; may be empty

  bool applies_to(Act act) const { return (acts & static_cast<unsigned>(act)) != 0; }
};

const std::vector<Rule>& rule_table();

}  // namespace hsmsigner::policy
