#include "service/access_rules.h"

#include <string>

#include "base/error.h"

namespace hsmsigner::service {
namespace {

// "issuer", "exporter or issuer": who would have been allowed.
std::string roles_with(auth::Operation operation) {
  std::string names;
  for (const auth::Role role : auth::all_roles()) {
    if (auth::may(role, operation)) names += (names.empty() ? "" : " or ") + std::string(auth::to_string(role));
  }
  return names;
}

[[noreturn]] void refuse(auth::Operation operation, const std::string& where) {
  throw Error(ErrorKind::auth_unauthorized, {"this needs the role " + roles_with(operation) + where})
      .with_help("An administrator grants roles when an account is created: `hsm-signer account create --help`.");
}

}  // namespace

void require(const auth::Caller& caller, auth::Operation operation, const Container& container) {
  if (!caller.may(operation, container)) refuse(operation, " in " + container.to_string());
}

void require(const auth::Caller& caller, auth::Operation operation) {
  if (!caller.may(operation)) refuse(operation, "");
}

}  // namespace hsmsigner::service
