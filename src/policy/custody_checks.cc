#include <algorithm>

#include "policy/rule_checks.h"

namespace hsmsigner::policy {
namespace {

using Kind = IssuerFacts::Kind;

bool denied(const std::optional<bool>& rule) { return rule && !*rule; }

// Each kind of entry is compared with what it means, and with nothing else.
bool means(const IssuerEntry& entry, const IssuerFacts& issuer) {
  switch (entry.kind) {
    case IssuerEntry::Kind::itself: return issuer.kind == Kind::itself;
    case IssuerEntry::Kind::external: return issuer.kind == Kind::external;
    case IssuerEntry::Kind::id: return issuer.kind == Kind::held && entry.id == issuer.id;
    case IssuerEntry::Kind::place: break;
  }
  return issuer.kind == Kind::held && entry.container == issuer.container && entry.name == issuer.name;
}

bool self_signed(const Facts& facts) { return facts.issuer && facts.issuer->kind == Kind::itself; }

}  // namespace

Findings check_issuers(const Rules& rules, const Facts& facts) {
  if (!rules.issuers || !facts.issuer) return {};
  const auto allows = [&](const IssuerEntry& entry) { return means(entry, *facts.issuer); };
  if (std::ranges::any_of(*rules.issuers, allows)) return {};
  // Not which are: the caller may not be allowed to see them.
  return {{path_of(facts, "signed_by"), "this is none of the issuers that are allowed here"}};
}

Findings check_allow_self_signed_leaf(const Rules& rules, const Facts& facts) {
  if (facts.authority || !denied(rules.allow_self_signed_leaf) || !self_signed(facts)) return {};
  return {{path_of(facts, "signed_by"), "a leaf certificate must not be self-signed"}};
}

Findings check_allow_self_signed_ca(const Rules& rules, const Facts& facts) {
  if (!facts.authority || !denied(rules.allow_self_signed_ca) || !self_signed(facts)) return {};
  return {{path_of(facts, "signed_by"), "a certificate authority must not be self-signed"}};
}

Findings check_allow_exportable_keys(const Rules& rules, const Facts& facts) {
  if (!denied(rules.allow_exportable_keys) || !facts.exportable) return {};
  return {{"is_block_privateKey", "must be true: keys must never leave the token"}};
}

Findings check_allow_leaf_key_generation(const Rules& rules, const Facts& facts) {
  if (facts.authority || !denied(rules.allow_leaf_key_generation)) return {};
  return {{path_of(facts, "algorithm"), "no key pair is generated here for a leaf certificate"}};
}

Findings check_allow_ca_key_generation(const Rules& rules, const Facts& facts) {
  if (!facts.authority || !denied(rules.allow_ca_key_generation)) return {};
  return {{path_of(facts, "algorithm"), "no key pair is generated here for a certificate authority"}};
}

Findings check_allow_key_import(const Rules& rules, const Facts& facts) {
  if (!denied(rules.allow_key_import)) return {};
  return {{facts.key_file, "no private key is imported: keys must be born in the token"}};
}

}  // namespace hsmsigner::policy
