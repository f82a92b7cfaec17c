#include "policy/rule_table.h"

namespace hsmsigner::policy {
namespace {

constexpr unsigned kGenerate = static_cast<unsigned>(Act::generate);
constexpr unsigned kRequest = static_cast<unsigned>(Act::request);
constexpr unsigned kImport = static_cast<unsigned>(Act::import_key);
constexpr unsigned kComplete = static_cast<unsigned>(Act::complete);
constexpr unsigned kBirth = kGenerate | kRequest;
constexpr unsigned kAll = kBirth | kImport | kComplete;

// Those of POST /certificates that need not be given (HTTP contract, section 2).
std::vector<std::string> optional_fields() {
  return {"country_code",    "state",    "locality", "department",         "email",
          "alternate_email", "hostname", "ip",       "ocsp_responder_url", "day_till_expiration"};
}

}  // namespace

const std::vector<Rule>& rule_table() {
  static const std::vector<Rule> table = {
      {"algorithms", kAll, algorithm_list(&Rules::algorithms), check_algorithms, ""},
      {"min-rsa-bits", kAll, whole_number(&Rules::min_rsa_bits, 512, 16384), check_min_rsa_bits, ""},
      {"max-rsa-bits", kAll, whole_number(&Rules::max_rsa_bits, 512, 16384), check_max_rsa_bits, ""},
      {"rsa-bits-multiple-of", kAll, whole_number(&Rules::rsa_bits_multiple_of, 2, 1024), check_rsa_bits_multiple_of,
       ""},
      {"min-rsa-exponent", kAll, whole_number(&Rules::min_rsa_exponent, 3, 4294967295), check_min_rsa_exponent, ""},
      {"digests", kAll, digest_list(&Rules::digests), check_digests, ""},
      {"digest-fits-curve", kGenerate, flag(&Rules::digest_fits_curve), check_digest_fits_curve, ""},
      {"max-leaf-days", kGenerate | kImport | kComplete, validity(&Rules::max_leaf_days), check_max_leaf_days, ""},
      {"max-ca-days", kGenerate | kImport | kComplete, validity(&Rules::max_ca_days), check_max_ca_days, ""},
      {"permitted-dns", kAll, domain_list(&Rules::permitted_dns, Empty::allowed), check_permitted_dns, ""},
      {"excluded-dns", kAll, domain_list(&Rules::excluded_dns, Empty::refused), check_excluded_dns, ""},
      {"min-dns-labels", kAll, whole_number(&Rules::min_dns_labels, 2, 127), check_min_dns_labels, ""},
      {"permitted-ip", kAll, ip_range_list(&Rules::permitted_ip, Empty::allowed), check_permitted_ip, ""},
      {"excluded-ip", kAll, ip_range_list(&Rules::excluded_ip, Empty::refused), check_excluded_ip, ""},
      {"permitted-mail", kAll, domain_list(&Rules::permitted_mail, Empty::allowed), check_permitted_mail, ""},
      {"excluded-mail", kAll, domain_list(&Rules::excluded_mail, Empty::refused), check_excluded_mail, ""},
      {"san-required", kAll, flag(&Rules::san_required), check_san_required, ""},
      {"allow-authority-names", kAll, flag(&Rules::allow_authority_names), check_allow_authority_names,
       "A common name with a blank in it, such as \"Example Root\", is no host name."},
      {"required-leaf-fields", kBirth, word_list(&Rules::required_leaf_fields, optional_fields()),
       check_required_leaf_fields, ""},
      {"required-ca-fields", kBirth, word_list(&Rules::required_ca_fields, optional_fields()), check_required_ca_fields,
       ""},
      {"issuers", kBirth, issuer_list(&Rules::issuers), check_issuers, ""},
      {"allow-self-signed-leaf", kGenerate | kImport | kComplete, flag(&Rules::allow_self_signed_leaf),
       check_allow_self_signed_leaf, ""},
      {"allow-self-signed-ca", kGenerate | kImport | kComplete, flag(&Rules::allow_self_signed_ca),
       check_allow_self_signed_ca, ""},
      {"allow-exportable-keys", kBirth | kImport, flag(&Rules::allow_exportable_keys), check_allow_exportable_keys, ""},
      {"allow-leaf-key-generation", kBirth | kComplete, flag(&Rules::allow_leaf_key_generation),
       check_allow_leaf_key_generation,
       "Under this profile only a subscriber's own request may be signed: the key pair of a leaf certificate is made "
       "by its subscriber, never by this service. This service has no route yet that signs such a request, so that no "
       "leaf certificate can be had from it in this container: give the container another profile."},
      {"allow-ca-key-generation", kBirth | kComplete, flag(&Rules::allow_ca_key_generation),
       check_allow_ca_key_generation, ""},
      {"allow-key-import", kImport, flag(&Rules::allow_key_import), check_allow_key_import, ""},
  };
  return table;
}

}  // namespace hsmsigner::policy
