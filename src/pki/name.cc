#include "pki/name.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/utf8.h"
#include "pki/refuse.h"

namespace hsmsigner::pki {
namespace {

// RFC 5280 appendix A.1: the upper bounds (ub-…), in characters.
struct Attribute {
  int nid;
  int type;  // V_ASN1_…: forced, since OpenSSL would choose the shortest of several
  std::size_t max_characters;
};
constexpr Attribute kCountry{NID_countryName, V_ASN1_PRINTABLESTRING, 2};
constexpr Attribute kState{NID_stateOrProvinceName, V_ASN1_UTF8STRING, 128};
constexpr Attribute kLocality{NID_localityName, V_ASN1_UTF8STRING, 128};
constexpr Attribute kOrganizationalUnit{NID_organizationalUnitName, V_ASN1_UTF8STRING, 64};
constexpr Attribute kCommonName{NID_commonName, V_ASN1_UTF8STRING, 64};
constexpr Attribute kEmail{NID_pkcs9_emailAddress, V_ASN1_IA5STRING, 255};

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

void check(const Attribute& attribute, const std::string& field, std::string_view value) {
  const auto characters = utf8_length(value);
  if (!characters) refuse(field, "is not UTF-8");
  // A NUL has made readers see a shorter name than the one that was certified.
  if (value.find('\0') != std::string_view::npos) refuse(field, "holds a NUL character");
  if (*characters == 0) refuse(field, "is empty");
  if (*characters > attribute.max_characters) {
    refuse(field, "is longer than " + std::to_string(attribute.max_characters) + " characters");
  }
  if (attribute.type == V_ASN1_PRINTABLESTRING && (value.size() != 2 || !std::ranges::all_of(value, is_letter))) {
    refuse(field, "must be two letters");
  }
  if (attribute.type == V_ASN1_IA5STRING && *characters != value.size()) refuse(field, "must be ASCII");
}

void add(X509_NAME* name, const Attribute& attribute, const std::string& field, std::string_view value) {
  check(attribute, field, value);
  require(X509_NAME_add_entry_by_NID(name, attribute.nid, attribute.type, octets_of(value).data(),
                                     static_cast<int>(value.size()), -1, 0),
          "X509_NAME_add_entry_by_NID");
}

}  // namespace

X509NamePtr make_name(const SubjectName& subject) {
  X509NamePtr name = require_pointer(X509NamePtr(X509_NAME_new()), "X509_NAME_new");
  const auto add_if_present = [&](const Attribute& attribute, const char* field, const std::string& value) {
    if (!value.empty()) add(name.get(), attribute, field, value);
  };
  add_if_present(kCountry, "country_code", subject.country);
  add_if_present(kState, "state", subject.state);
  add_if_present(kLocality, "locality", subject.locality);
  for (std::size_t i = 0; i < subject.organizational_units.size(); ++i) {
    add(name.get(), kOrganizationalUnit, "department[" + std::to_string(i) + "]", subject.organizational_units[i]);
  }
  add_if_present(kCommonName, "common_name", subject.common_name);
  add_if_present(kEmail, "email", subject.email);
  // An issuer's name must not be empty (RFC 5280 4.1.2.4), and an empty subject would need a critical SAN (4.1.2.6).
  if (X509_NAME_entry_count(name.get()) == 0) refuse("common_name", "the subject is empty");
  return name;
}

std::string one_line(const X509_NAME* name) {
  const OpensslText text(X509_NAME_oneline(name, nullptr, 0));
  return require_pointer(text.get(), "X509_NAME_oneline");
}

std::string hash_old(const X509_NAME* name) {
  // The first four octets of the name's MD5, little-endian.
  const auto value = static_cast<std::uint32_t>(X509_NAME_hash_old(name));
  std::array<std::uint8_t, 4> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  return to_hex(octets);
}

}  // namespace hsmsigner::pki
