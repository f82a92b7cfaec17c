#include "service/alternative_names.h"

#include <algorithm>

#include "base/internet_names.h"

namespace hsmsigner::service {

using pki::AlternativeName;

namespace {

// Whether two spellings are one name: "::1" and "0:0:0:0:0:0:0:1", "A.example" and "a.example".
bool same(const AlternativeName& one, const AlternativeName& other) {
  if (one.kind != other.kind) return false;
  if (one.kind == AlternativeName::Kind::ip) return parse_ip_address(one.value) == parse_ip_address(other.value);
  if (one.kind == AlternativeName::Kind::email) return one.value == other.value;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(one.value, other.value, {}, lower, lower);
}

}  // namespace

std::vector<AlternativeName> alternative_names_of(const GenerateRequest& request) {
  std::vector<AlternativeName> names;
  const auto add = [&names](const AlternativeName& name) {
    const bool known = std::ranges::any_of(names, [&](const AlternativeName& other) { return same(name, other); });
    if (!known) names.push_back(name);
  };
  if (!request.email.empty()) add({AlternativeName::Kind::email, request.email});
  for (const AlternativeName& name : request.alternative_names) add(name);
  if (!names.empty()) return names;

  const std::string& common_name = *request.common_name;
  if (parse_ip_address(common_name)) {
    add({AlternativeName::Kind::ip, common_name});
  } else if (!fault_of_mail_address(common_name)) {
    add({AlternativeName::Kind::email, common_name});
  } else if (!fault_of_host_name(common_name, Wildcard::leading)) {
    add({AlternativeName::Kind::dns, common_name});
  }
  return names;
}

}  // namespace hsmsigner::service
