// The one table of controls: what is asked, by which standard, and how the facts answer it. docs/COMPLIANCE.md explains
// each. A control whose facts were not gathered never passes.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "report/model.h"

namespace hsmsigner::report {

struct ControlInfo {
  std::string_view id;
  std::string_view title;
  std::string_view reference;
};
std::span<const ControlInfo> control_table() noexcept;

// A verdict for each row of the table, in its order.
std::vector<Control> judge(const Facts& facts);

struct VerdictCounts {
  std::size_t pass = 0, attention = 0, fail = 0, not_applicable = 0;
};
VerdictCounts count(const std::vector<Control>& controls);
// The worst of them.
Verdict overall(const std::vector<Control>& controls);

// Roles of an account that must not be in one hand, as sentences; none for an account that nobody can use.
struct Conflict {
  std::string sentence;
  bool grave = false;  // whoever audits may also act
};
std::vector<Conflict> conflicts_of(const AccountFacts& account);

}  // namespace hsmsigner::report
