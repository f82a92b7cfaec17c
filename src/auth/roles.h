// Who may do what: the one table of roles and operations, and grants, which limit a role to containers.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/container.h"

namespace hsmsigner::auth {

enum class Role { administrator, issuer, exporter, signer, auditor, reader, monitor };
// "administrator", …
std::string_view to_string(Role role) noexcept;
std::optional<Role> role_from(std::string_view name) noexcept;
std::span<const Role> all_roles() noexcept;

// What a caller wants to do. Every route names one (api/routes.cc).
enum class Operation {
  read_certificates,     // also what is exported of them without a private key
  generate_certificate,  // and completing or importing one
  import_certificate,
  delete_certificate,
  export_private_key,
  use_key,        // sign with a key that is here: another's certificate under a certificate authority
  read_evidence,  // the token's own word on a key, signed
  read_accounts,
  change_accounts,
  read_journal,
  read_report,
  read_metrics,
};
std::string_view to_string(Operation operation) noexcept;
std::span<const Operation> all_operations() noexcept;
// Whether grants limit it to containers. Accounts, the journal and metrics are in none: what concerns them takes a grant for
// everywhere, and a grant in one container (auditor=folder:Payments) does not give it.
bool is_contained(Operation operation) noexcept;

// One cell of the table.
bool may(Role role, Operation operation) noexcept;

// A role in one container, or everywhere. An administrator's is everywhere, and a monitor's: what they may do is in no container.
struct Grant {
  Role role;
  std::optional<Container> container;  // none: "*"
  bool operator==(const Grant&) const = default;

  // "issuer=folder:Payments", "reader=*".
  std::string to_string() const;
  // Throws Error{invalid_object} with one sentence, which does not begin with a field's name ("must be ROLE=CONTAINER,
  // …"): an unknown role, a container that is none, an administrator or a monitor with a container.
  static Grant parse(std::string_view text);
};

// Who makes a request, once that is known.
class Caller {
 public:
  Caller(std::string client_id, std::vector<Grant> grants)
      : client_id_(std::move(client_id)), grants_(std::move(grants)) {}
  // The service itself, for work that no request asked for: may do everything. Its client id is empty, as no account's
  // is.
  static Caller service();

  const std::string& client_id() const noexcept { return client_id_; }
  const std::vector<Grant>& grants() const noexcept { return grants_; }

  // In this container.
  bool may(Operation operation, const Container& container) const noexcept;
  // Somewhere at least.
  bool may(Operation operation) const noexcept;
  // Where.
  ContainerScope scope(Operation operation) const;

 private:
  std::string client_id_;
  std::vector<Grant> grants_;
};

}  // namespace hsmsigner::auth
