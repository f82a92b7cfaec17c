// A policy profile as a value: which certificates and keys a container may have. docs/POLICY.md tells each rule; the
// table that reads and checks them is rule_table.cc.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/container.h"
#include "base/uuid.h"

namespace hsmsigner::policy {

// How long a certificate that is issued at `from` (midnight UTC) or later may be valid; the first step also holds for
// what was issued before it.
struct ValidityStep {
  UnixTime from;
  int days = 0;
};

// "192.0.2.0/24", "2001:db8::/32".
struct IpRange {
  Bytes network;  // 4 or 16 octets; those behind the prefix are zero
  unsigned prefix = 0;
  std::string text;  // as it was written
};

// Who may sign. A certificate is meant by its id or by its container and name: its name alone is nobody's, as whoever
// has a container may give any name there.
struct IssuerEntry {
  enum class Kind { itself, external, id, place };
  Kind kind = Kind::itself;
  std::optional<Uuid> id;              // Kind::id
  std::optional<Container> container;  // Kind::place, as `name`
  std::string name;
};

// An absent rule refuses nothing. An empty list of permitted names permits none.
struct Rules {
  std::optional<std::vector<std::string>> algorithms;  // names of base/algorithm.h: "RSA-2048", "P-256"
  std::optional<unsigned> min_rsa_bits;
  std::optional<unsigned> max_rsa_bits;
  std::optional<unsigned> rsa_bits_multiple_of;
  std::optional<unsigned> min_rsa_exponent;
  std::optional<std::vector<Digest>> digests;
  std::optional<bool> digest_fits_curve;
  std::optional<std::vector<ValidityStep>> max_leaf_days;  // ascending
  std::optional<std::vector<ValidityStep>> max_ca_days;    // ascending
  std::optional<std::vector<std::string>> permitted_dns;   // lower case
  std::optional<std::vector<std::string>> excluded_dns;
  std::optional<unsigned> min_dns_labels;
  std::optional<std::vector<IpRange>> permitted_ip;
  std::optional<std::vector<IpRange>> excluded_ip;
  std::optional<std::vector<std::string>> permitted_mail;  // domains, lower case
  std::optional<std::vector<std::string>> excluded_mail;
  std::optional<bool> san_required;
  std::optional<bool> allow_authority_names;
  std::optional<std::vector<std::string>> required_leaf_fields;
  std::optional<std::vector<std::string>> required_ca_fields;
  std::optional<std::vector<IssuerEntry>> issuers;
  std::optional<bool> allow_self_signed_leaf;
  std::optional<bool> allow_self_signed_ca;
  std::optional<bool> allow_exportable_keys;
  std::optional<bool> allow_leaf_key_generation;
  std::optional<bool> allow_ca_key_generation;
  std::optional<bool> allow_key_import;
};

struct Profile {
  std::string name;  // 1 to 64 lower-case letters, digits and inner hyphens
  std::string description;
  Rules rules;
  // By the rule's name: where it comes from, "BR 6.3.2". Shown in refusals.
  std::map<std::string, std::string, std::less<>> references;
  std::string text;  // the TOML that it was read from
};

}  // namespace hsmsigner::policy
