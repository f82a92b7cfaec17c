#include "report/controls.h"

#include <algorithm>
#include <array>

#include "report/judgements.h"

namespace hsmsigner::report {
namespace {

struct Row {
  ControlInfo info;
  Judgement (*judge)(const Facts&);
};

constexpr std::array kRows{
    Row{{"KEY-1", "Private keys are sensitive and cannot be extracted",
         "PKCS#11 2.40, 4.9: CKA_SENSITIVE, CKA_EXTRACTABLE; NIST SP 800-57 part 1 rev. 5, 6.2"},
        key_attributes},
    Row{{"KEY-2", "The token does not give a key away, whatever it is asked",
         "PKCS#11 2.40, 5.7 (C_GetAttributeValue, C_SetAttributeValue, C_CopyObject), 5.14 (C_WrapKey)"},
        token_keeps_keys},
    Row{{"KEY-3", "The token is a validated module", "FIPS 140-3; CA/B Forum TLS BR 6.2.7"}, validated_module},
    Row{{"KEY-4", "Each certificate has exactly one key, and it is the one on record",
         "PKCS#11 2.40, 4.7: CKA_ID; NIST SP 800-57 part 1 rev. 5, 8.2"},
        key_for_each_certificate},
    Row{{"KEY-5", "The key answers under its certificate", "NIST SP 800-89, 6: assurance of possession"}, possession},
    Row{{"KEY-6", "No key is in the token that nothing needs", "NIST SP 800-57 part 1 rev. 5, 8.3.4"},
        keys_without_purpose},
    Row{{"KEY-7", "Keys have at least 112 bits of strength",
         "NIST SP 800-57 part 1 rev. 5, 5.6.1, table 2; CA/B Forum TLS BR 6.1.5"},
        key_strength},
    Row{{"KEY-8", "Keys were made in the token", "PKCS#11 2.40, 4.7: CKA_LOCAL; CA/B Forum TLS BR 6.2.6"}, key_origin},
    Row{{"CERT-1", "Serial numbers are long, random and not repeated", "CA/B Forum TLS BR 7.1.2.7; RFC 5280 4.1.2.2"},
        serial_numbers},
    Row{{"CERT-2", "Validity keeps to the limits for TLS", "CA/B Forum TLS BR 6.3.2"}, validity},
    Row{{"CERT-3", "Signatures use SHA-2", "CA/B Forum TLS BR 7.1.3.2; NIST SP 800-131A rev. 2, 3"}, signature_digests},
    Row{{"CERT-4", "Certificates are renewed, and removed, in time",
         "RFC 5280 4.1.2.5; NIST SP 800-57 part 1 rev. 5, 5.3"},
        expiry},
    Row{{"ACC-1", "Whoever audits neither administers nor issues",
         "NIST SP 800-53 rev. 5, AC-5; ISO/IEC 27001:2022, A.5.3; CA/B Forum TLS BR 5.2.4"},
        role_separation},
    Row{{"ACC-2", "Secrets are known to their holders only", "NIST SP 800-53 rev. 5, IA-5"}, account_secrets},
    Row{{"LOG-1", "The journal is intact", "NIST SP 800-53 rev. 5, AU-9; CA/B Forum TLS BR 5.4.4"}, journal_integrity},
    Row{{"LOG-2", "Signed checkpoints cover the journal", "NIST SP 800-53 rev. 5, AU-10"}, checkpoints},
    Row{{"LOG-3", "An event tells of each certificate", "CA/B Forum TLS BR 5.4.1"}, issuance_events},
};

constexpr std::array<ControlInfo, kRows.size()> infos() {
  std::array<ControlInfo, kRows.size()> table{};
  for (std::size_t i = 0; i < kRows.size(); ++i) table[i] = kRows[i].info;
  return table;
}
constexpr auto kControls = infos();

// From the worst to the best.
int badness(Verdict verdict) {
  switch (verdict) {
    case Verdict::fail: return 3;
    case Verdict::attention: return 2;
    case Verdict::pass: return 1;
    case Verdict::not_applicable: return 0;
  }
  return 0;
}

}  // namespace

std::span<const ControlInfo> control_table() noexcept { return kControls; }

std::vector<Control> judge(const Facts& facts) {
  std::vector<Control> controls;
  controls.reserve(kRows.size());
  for (const Row& row : kRows) {
    Judgement judgement = row.judge(facts);
    controls.push_back({row.info.id, row.info.title, row.info.reference, judgement.verdict,
                        std::move(judgement.evidence), std::move(judgement.figures)});
  }
  return controls;
}

VerdictCounts count(const std::vector<Control>& controls) {
  VerdictCounts counts;
  for (const Control& control : controls) {
    switch (control.verdict) {
      case Verdict::pass: ++counts.pass; break;
      case Verdict::attention: ++counts.attention; break;
      case Verdict::fail: ++counts.fail; break;
      case Verdict::not_applicable: ++counts.not_applicable; break;
    }
  }
  return counts;
}

Verdict overall(const std::vector<Control>& controls) {
  Verdict worst = Verdict::not_applicable;
  for (const Control& control : controls) {
    if (badness(control.verdict) > badness(worst)) worst = control.verdict;
  }
  return worst;
}

std::vector<Conflict> conflicts_of(const AccountFacts& account) {
  struct Pair {
    std::string_view one, other;
    bool grave;
  };
  constexpr Pair kPairs[] = {
      {"auditor", "administrator", true}, {"auditor", "issuer", true},        {"auditor", "exporter", true},
      {"auditor", "signer", true},        {"administrator", "issuer", false}, {"administrator", "exporter", false},
  };
  std::vector<Conflict> conflicts;
  if (!account.active()) return conflicts;
  const auto has = [&](std::string_view role) { return std::ranges::find(account.roles, role) != account.roles.end(); };
  for (const Pair& pair : kPairs) {
    if (has(pair.one) && has(pair.other)) {
      conflicts.push_back({std::string(pair.one) + " and " + std::string(pair.other), pair.grave});
    }
  }
  return conflicts;
}

}  // namespace hsmsigner::report
