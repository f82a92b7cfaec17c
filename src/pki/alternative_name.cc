#include "pki/alternative_name.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/internet_names.h"
#include "pki/refuse.h"

namespace hsmsigner::pki {
namespace {

std::string ip_text(ByteView address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.size() == 4 ? AF_INET : AF_INET6;
  if (address.size() != 4 && address.size() != 16) return {};
  if (::inet_ntop(family, address.data(), text.data(), text.size()) == nullptr) return {};
  return text.data();
}

std::string text_of(const ASN1_STRING* string) {
  const ByteView content = content_of(string);
  return {content.begin(), content.end()};
}

// Nothing for the kinds of GeneralName that AlternativeName has no word for.
std::optional<AlternativeName> to_alternative_name(const GENERAL_NAME* name) {
  int type = 0;
  const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &type));
  switch (type) {
    case GEN_DNS: return AlternativeName{AlternativeName::Kind::dns, text_of(value)};
    case GEN_EMAIL: return AlternativeName{AlternativeName::Kind::email, text_of(value)};
    case GEN_IPADD: {
      std::string text = ip_text(content_of(value));
      if (text.empty()) return std::nullopt;
      return AlternativeName{AlternativeName::Kind::ip, std::move(text)};
    }
    default: return std::nullopt;
  }
}

// RFC 5280 4.2.1.6: 4 or 16 octets in network order.
Asn1StringPtr make_ip(const std::string& text) {
  const auto address = parse_ip_address(text);
  if (!address) refuse("ip", "is not an IPv4 or IPv6 address");
  return make_string(V_ASN1_OCTET_STRING, *address);
}

GeneralNamePtr make_general_name(int type, Asn1StringPtr value) {
  GeneralNamePtr name = require_pointer(GeneralNamePtr(GENERAL_NAME_new()), "GENERAL_NAME_new");
  GENERAL_NAME_set0_value(name.get(), type, value.release());
  return name;
}

GeneralNamePtr make_general_name(const AlternativeName& name) {
  switch (name.kind) {
    case AlternativeName::Kind::dns: return make_general_name(GEN_DNS, make_ia5("hostname", name.value));
    case AlternativeName::Kind::ip: return make_general_name(GEN_IPADD, make_ip(name.value));
    case AlternativeName::Kind::email: return make_general_name(GEN_EMAIL, make_ia5("email", name.value));
  }
  throw_openssl("unknown kind of alternative name");
}

}  // namespace

std::string AlternativeName::to_string() const {
  switch (kind) {
    case Kind::dns: return "DNS:" + value;
    case Kind::ip: return "IP:" + value;
    case Kind::email: return "email:" + value;
  }
  return value;
}

std::vector<AlternativeName> to_alternative_names(const GENERAL_NAMES* names) {
  std::vector<AlternativeName> result;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    if (auto name = to_alternative_name(sk_GENERAL_NAME_value(names, i))) result.push_back(std::move(*name));
  }
  return result;
}

Asn1StringPtr make_ia5(const char* field, std::string_view value) {
  if (value.empty()) refuse(field, "is empty");
  if (!std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7f; })) {
    refuse(field, "must be printable ASCII without spaces");
  }
  return make_string(V_ASN1_IA5STRING, octets_of(value));
}

GeneralNamesPtr make_general_names(const std::vector<AlternativeName>& names) {
  GeneralNamesPtr encoded = require_pointer(GeneralNamesPtr(GENERAL_NAMES_new()), "GENERAL_NAMES_new");
  for (const AlternativeName& name : names) {
    GeneralNamePtr general = make_general_name(name);
    if (sk_GENERAL_NAME_push(encoded.get(), general.get()) <= 0) throw_openssl("sk_GENERAL_NAME_push");
    general.release();
  }
  return encoded;
}

}  // namespace hsmsigner::pki
