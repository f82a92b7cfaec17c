#include "policy/check.h"

#include "policy/rule_table.h"

namespace hsmsigner::policy {

Refusals check(const Profile& profile, const Facts& facts) {
  Refusals refusals;
  for (const Rule& rule : rule_table()) {
    if (!rule.applies_to(facts.act)) continue;
    const std::vector<Finding> findings = rule.check(profile.rules, facts);
    if (findings.empty()) continue;
    const auto reference = profile.references.find(rule.name);
    const std::string cited = reference == profile.references.end() ? "" : " (" + reference->second + ")";
    for (const Finding& finding : findings) {
      refusals.details.push_back(finding.path + ": profile " + profile.name + ", rule " + std::string(rule.name) +
                                 cited + ": " + finding.sentence);
    }
    if (!rule.help.empty()) refusals.help += (refusals.help.empty() ? "" : " ") + std::string(rule.help);
  }
  return refusals;
}

}  // namespace hsmsigner::policy
