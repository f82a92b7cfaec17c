#include <algorithm>

#include "policy/rule_checks.h"

namespace hsmsigner::policy {
namespace {

std::string name_of(const KeyFacts& key) {
  return (key.family == KeyFamily::rsa ? "RSA-" : "P-") + std::to_string(key.bits);
}

// A signature is as strong as the key that makes it: what holds for the subject's key holds for the issuer's too.
template <typename Fails>
Findings for_each_key(const Facts& facts, Fails fails, const std::string& sentence) {
  Findings findings;
  if (facts.key && fails(*facts.key)) findings.push_back({path_of(facts, "algorithm"), sentence});
  if (facts.signing_key && fails(*facts.signing_key)) {
    findings.push_back({path_of(facts, "signed_by"), sentence + "; the authority's is " + name_of(*facts.signing_key)});
  }
  return findings;
}

bool is_rsa(const KeyFacts& key) { return key.family == KeyFamily::rsa; }

// Whether the big-endian number is less than the other.
bool less(const Bytes& number, unsigned other) {
  const auto first = std::ranges::find_if(number, [](std::uint8_t octet) { return octet != 0; });
  const auto octets = number.end() - first;
  if (octets > 4) return false;
  std::uint64_t value = 0;
  for (auto octet = first; octet != number.end(); ++octet) value = value << 8 | *octet;
  return value < other;
}

}  // namespace

std::string path_of(const Facts& facts, const char* field) { return facts.file.empty() ? field : facts.file; }

Findings check_algorithms(const Rules& rules, const Facts& facts) {
  if (!rules.algorithms) return {};
  const std::vector<std::string>& allowed = *rules.algorithms;
  std::string list;
  for (const std::string& name : allowed) list += (list.empty() ? "" : ", ") + name;
  return for_each_key(
      facts, [&](const KeyFacts& key) { return std::ranges::find(allowed, name_of(key)) == allowed.end(); },
      "the key must be one of " + list);
}

Findings check_min_rsa_bits(const Rules& rules, const Facts& facts) {
  if (!rules.min_rsa_bits) return {};
  const unsigned least = *rules.min_rsa_bits;
  return for_each_key(
      facts, [=](const KeyFacts& key) { return is_rsa(key) && key.bits < least; },
      "RSA keys must have at least " + std::to_string(least) + " bits");
}

Findings check_max_rsa_bits(const Rules& rules, const Facts& facts) {
  if (!rules.max_rsa_bits) return {};
  const unsigned most = *rules.max_rsa_bits;
  return for_each_key(
      facts, [=](const KeyFacts& key) { return is_rsa(key) && key.bits > most; },
      "RSA keys must have at most " + std::to_string(most) + " bits");
}

Findings check_rsa_bits_multiple_of(const Rules& rules, const Facts& facts) {
  if (!rules.rsa_bits_multiple_of) return {};
  const unsigned divisor = *rules.rsa_bits_multiple_of;
  return for_each_key(
      facts, [=](const KeyFacts& key) { return is_rsa(key) && key.bits % divisor != 0; },
      "the bits of an RSA modulus must be a multiple of " + std::to_string(divisor));
}

Findings check_min_rsa_exponent(const Rules& rules, const Facts& facts) {
  if (!rules.min_rsa_exponent) return {};
  const unsigned least = *rules.min_rsa_exponent;
  return for_each_key(
      facts,
      [=](const KeyFacts& key) { return is_rsa(key) && !key.rsa_exponent.empty() && less(key.rsa_exponent, least); },
      "the public exponent of an RSA key must be at least " + std::to_string(least));
}

Findings check_digests(const Rules& rules, const Facts& facts) {
  if (!rules.digests) return {};
  const bool refused = facts.other_signature ||
                       (facts.digest && std::ranges::find(*rules.digests, *facts.digest) == rules.digests->end());
  if (!refused) return {};
  std::string list;
  for (const Digest digest : *rules.digests) list += (list.empty() ? "" : ", ") + std::string(info(digest).name);
  return {{path_of(facts, "digest"), "the signature's digest must be one of " + list}};
}

Findings check_digest_fits_curve(const Rules& rules, const Facts& facts) {
  if (!rules.digest_fits_curve.value_or(false) || !facts.digest) return {};
  const bool own_key_signs = facts.issuer && facts.issuer->kind == IssuerFacts::Kind::itself;
  const std::optional<KeyFacts>& signer = own_key_signs ? facts.key : facts.signing_key;
  if (!signer || signer->family != KeyFamily::ec) return {};
  const Digest fitting = signer->bits <= 256 ? Digest::sha256 : signer->bits <= 384 ? Digest::sha384 : Digest::sha512;
  if (*facts.digest == fitting) return {};
  return {{path_of(facts, "digest"),
           "a signature with a " + name_of(*signer) + " key must use " + std::string(info(fitting).name)}};
}

}  // namespace hsmsigner::policy
