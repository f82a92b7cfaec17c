// What each rule refuses. Private to this room: the table names them.
#pragma once

#include <string>
#include <vector>

#include "policy/facts.h"
#include "policy/profile.h"

namespace hsmsigner::policy {

struct Finding {
  std::string path;      // the field
  std::string sentence;  // what is wrong with it
};
using Findings = std::vector<Finding>;

// The path of a field, or of the file when the facts were read from one.
std::string path_of(const Facts& facts, const char* field);

// --- keys and signatures (key_checks.cc)
Findings check_algorithms(const Rules& rules, const Facts& facts);
Findings check_min_rsa_bits(const Rules& rules, const Facts& facts);
Findings check_max_rsa_bits(const Rules& rules, const Facts& facts);
Findings check_rsa_bits_multiple_of(const Rules& rules, const Facts& facts);
Findings check_min_rsa_exponent(const Rules& rules, const Facts& facts);
Findings check_digests(const Rules& rules, const Facts& facts);
Findings check_digest_fits_curve(const Rules& rules, const Facts& facts);

// --- what the certificate says (content_checks.cc)
Findings check_max_leaf_days(const Rules& rules, const Facts& facts);
Findings check_max_ca_days(const Rules& rules, const Facts& facts);
Findings check_permitted_dns(const Rules& rules, const Facts& facts);
Findings check_excluded_dns(const Rules& rules, const Facts& facts);
Findings check_min_dns_labels(const Rules& rules, const Facts& facts);
Findings check_permitted_ip(const Rules& rules, const Facts& facts);
Findings check_excluded_ip(const Rules& rules, const Facts& facts);
Findings check_permitted_mail(const Rules& rules, const Facts& facts);
Findings check_excluded_mail(const Rules& rules, const Facts& facts);
Findings check_san_required(const Rules& rules, const Facts& facts);
Findings check_allow_authority_names(const Rules& rules, const Facts& facts);
Findings check_required_leaf_fields(const Rules& rules, const Facts& facts);
Findings check_required_ca_fields(const Rules& rules, const Facts& facts);

// --- who signs, and where keys may come from and go (custody_checks.cc)
Findings check_issuers(const Rules& rules, const Facts& facts);
Findings check_allow_self_signed_leaf(const Rules& rules, const Facts& facts);
Findings check_allow_self_signed_ca(const Rules& rules, const Facts& facts);
Findings check_allow_exportable_keys(const Rules& rules, const Facts& facts);
Findings check_allow_leaf_key_generation(const Rules& rules, const Facts& facts);
Findings check_allow_ca_key_generation(const Rules& rules, const Facts& facts);
Findings check_allow_key_import(const Rules& rules, const Facts& facts);

}  // namespace hsmsigner::policy
