#include "service/alternative_names.h"

#include <algorithm>

#include "base/internet_names.h"

namespace hsmsigner::service {

using pki::AlternativeName;

std::vector<AlternativeName> alternative_names_of(const GenerateRequest& request) {
  std::vector<AlternativeName> names;
  const auto add = [&names](const AlternativeName& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
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
