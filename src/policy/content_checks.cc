#include <algorithm>
#include <chrono>

#include "policy/name_rules.h"
#include "policy/rule_checks.h"

namespace hsmsigner::policy {
namespace {

// From notBefore through notAfter, both included (RFC 5280 4.1.2.5); a day begun is a day (BR 6.3.2).
std::int64_t days_of(const Validity& validity) {
  using std::chrono::days;
  using std::chrono::seconds;
  return std::chrono::ceil<days>(validity.not_after - validity.not_before + seconds(1)).count();
}

Findings check_days(const std::vector<ValidityStep>& steps, const Facts& facts) {
  if (!facts.validity) return {};
  // A certificate is not issued before it is asked for, whatever its notBefore says.
  const UnixTime issued = std::max(facts.validity->not_before, facts.requested_at.value_or(UnixTime::min()));
  const ValidityStep* limit = &steps.front();
  for (const ValidityStep& step : steps) {
    if (step.from <= issued) limit = &step;
  }
  if (days_of(*facts.validity) <= limit->days) return {};
  std::string sentence = "the validity must be at most " + std::to_string(limit->days) +
                         (limit->days == 1 ? " day" : " days") + ", its last second included";
  if (limit->from > issued) {
    sentence += ", as the profile's first step also holds for what was issued before it";
  } else if (limit->from != UnixTime::min()) {
    sentence += ", as for all that is issued since " + date_time(limit->from).substr(0, 10);
  }
  if (facts.act == Act::generate && limit->days > 1) {
    sentence += "; day_till_expiration can be " + std::to_string(limit->days - 1) + " at most (it is 365 when absent)";
  }
  return {{path_of(facts, "day_till_expiration"), sentence}};
}

// An authority's common name of a single label; so is the alternative name that it led to.
enum class Titles { left_out, told };

// Every name of this kind, and what the common name may be taken for, once each.
std::vector<NameFact> names_of(const Facts& facts, NameKind kind, Titles titles) {
  std::vector<NameFact> names;
  const auto add = [&](const NameFact& name) {
    if (name.kind != kind) return;
    const bool title = titles == Titles::left_out && facts.authority && name.value.find('.') == std::string::npos &&
                       lower_case(name.value) == lower_case(facts.common_name);
    const bool known = std::ranges::any_of(names, [&](const NameFact& other) { return other.value == name.value; });
    if (!(kind == NameKind::dns && title) && !known) names.push_back(name);
  };
  for (const NameFact& name : facts.names) add(name);
  if (const auto name = name_in_common_name(facts.common_name)) add(*name);
  return names;
}

template <typename List>
Findings check_names(const Facts& facts, NameKind kind, const std::optional<List>& list,
                     std::optional<std::string> (*refuse)(std::string_view, const List&),
                     Titles titles = Titles::told) {
  Findings findings;
  if (!list) return findings;
  for (const NameFact& name : names_of(facts, kind, titles)) {
    if (const auto fault = refuse(name.value, *list)) {
      findings.push_back({path_of(facts, name.field.c_str()), "must " + *fault});
    }
  }
  return findings;
}

Findings check_required(const std::optional<std::vector<std::string>>& required, const Facts& facts) {
  Findings findings;
  if (!required) return findings;
  for (const std::string& field : *required) {
    if (!facts.fields.contains(field)) findings.push_back({field, "must be given"});
  }
  return findings;
}

}  // namespace

Findings check_max_leaf_days(const Rules& rules, const Facts& facts) {
  if (facts.authority || !rules.max_leaf_days) return {};
  return check_days(*rules.max_leaf_days, facts);
}

Findings check_max_ca_days(const Rules& rules, const Facts& facts) {
  if (!facts.authority || !rules.max_ca_days) return {};
  return check_days(*rules.max_ca_days, facts);
}

Findings check_permitted_dns(const Rules& rules, const Facts& facts) {
  return check_names(facts, NameKind::dns, rules.permitted_dns, domain_not_permitted, Titles::left_out);
}

Findings check_excluded_dns(const Rules& rules, const Facts& facts) {
  return check_names(facts, NameKind::dns, rules.excluded_dns, domain_excluded);
}

Findings check_min_dns_labels(const Rules& rules, const Facts& facts) {
  Findings findings;
  if (!rules.min_dns_labels) return findings;
  for (const NameFact& name : names_of(facts, NameKind::dns, Titles::left_out)) {
    if (const auto fault = too_few_labels(name.value, *rules.min_dns_labels)) {
      findings.push_back({path_of(facts, name.field.c_str()), "must " + *fault});
    }
  }
  return findings;
}

Findings check_permitted_ip(const Rules& rules, const Facts& facts) {
  return check_names(facts, NameKind::ip, rules.permitted_ip, ip_not_permitted);
}

Findings check_excluded_ip(const Rules& rules, const Facts& facts) {
  return check_names(facts, NameKind::ip, rules.excluded_ip, ip_excluded);
}

Findings check_permitted_mail(const Rules& rules, const Facts& facts) {
  return check_names(facts, NameKind::mail, rules.permitted_mail, mail_not_permitted);
}

Findings check_excluded_mail(const Rules& rules, const Facts& facts) {
  return check_names(facts, NameKind::mail, rules.excluded_mail, mail_excluded);
}

Findings check_san_required(const Rules& rules, const Facts& facts) {
  if (facts.authority || !rules.san_required.value_or(false)) return {};
  const auto counts = [](const NameFact& name) { return name.kind != NameKind::mail; };
  if (std::ranges::any_of(facts.names, counts)) return {};
  return {{path_of(facts, "hostname"), "a host name or an IP address must be among the subject alternative names"}};
}

Findings check_allow_authority_names(const Rules& rules, const Facts& facts) {
  if (!facts.authority || rules.allow_authority_names.value_or(true)) return {};
  std::vector<NameFact> names = facts.names;
  // A title that led to no alternative name is none.
  const auto common_name = name_in_common_name(facts.common_name);
  if (common_name && (common_name->kind != NameKind::dns || common_name->value.find('.') != std::string::npos)) {
    names.push_back(*common_name);
  }
  Findings findings;
  for (const NameFact& name : names) {
    const std::string path = path_of(facts, name.field.c_str());
    const bool told = std::ranges::find(findings, path, &Finding::path) != findings.end();
    if (name.kind == NameKind::mail || told) continue;
    findings.push_back({path, "a certificate authority must have no host name and no IP address, as a server has"});
  }
  return findings;
}

Findings check_required_leaf_fields(const Rules& rules, const Facts& facts) {
  return facts.authority ? Findings() : check_required(rules.required_leaf_fields, facts);
}

Findings check_required_ca_fields(const Rules& rules, const Facts& facts) {
  return facts.authority ? check_required(rules.required_ca_fields, facts) : Findings();
}

}  // namespace hsmsigner::policy
