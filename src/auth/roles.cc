#include "auth/roles.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/error.h"

namespace hsmsigner::auth {
namespace {

struct OperationRow {
  Operation operation;
  std::string_view name;
  bool contained;
};

// In the order of the enumerators, as are the roles below: looked up by index.
constexpr OperationRow kOperations[] = {
    {Operation::read_certificates, "read_certificates", true},
    {Operation::generate_certificate, "generate_certificate", true},
    {Operation::import_certificate, "import_certificate", true},
    {Operation::delete_certificate, "delete_certificate", true},
    {Operation::export_private_key, "export_private_key", true},
    {Operation::use_key, "use_key", true},
    {Operation::read_evidence, "read_evidence", true},
    {Operation::read_accounts, "read_accounts", false},
    {Operation::change_accounts, "change_accounts", false},
    {Operation::read_journal, "read_journal", false},
    {Operation::read_report, "read_report", false},
    {Operation::read_metrics, "read_metrics", false},
};

class OperationSet {
 public:
  constexpr OperationSet(std::initializer_list<Operation> operations) {
    for (const Operation operation : operations) bits_ |= bit(operation);
  }
  constexpr bool contains(Operation operation) const { return (bits_ & bit(operation)) != 0; }

 private:
  static constexpr unsigned bit(Operation operation) { return 1U << static_cast<unsigned>(operation); }
  unsigned bits_ = 0;
};

struct RoleRow {
  Role role;
  std::string_view name;
  OperationSet operations;
};

// The table. Separate duties: who gives out access issues nothing, and who issues takes no key away.
constexpr RoleRow kRoles[] = {
    {Role::administrator, "administrator", {Operation::read_accounts, Operation::change_accounts}},
    {Role::issuer,
     "issuer",
     {Operation::read_certificates, Operation::generate_certificate, Operation::import_certificate,
      Operation::delete_certificate, Operation::use_key, Operation::read_evidence}},
    {Role::exporter, "exporter", {Operation::read_certificates, Operation::export_private_key}},
    {Role::signer, "signer", {Operation::read_certificates, Operation::use_key}},
    {Role::auditor,
     "auditor",
     {Operation::read_certificates, Operation::read_evidence, Operation::read_accounts, Operation::read_journal,
      Operation::read_report, Operation::read_metrics}},
    {Role::reader, "reader", {Operation::read_certificates}},
    // For a program that is left alone with its secret: it learns how the service fares, and no name in it.
    {Role::monitor, "monitor", {Operation::read_metrics}},
};

template <typename Key, typename Row, std::size_t size>
constexpr std::array<Key, size> column_of(const Row (&rows)[size], Key Row::*column) {
  std::array<Key, size> keys{};
  for (std::size_t i = 0; i < size; ++i) keys[i] = rows[i].*column;
  return keys;
}
constexpr auto kAllOperations = column_of(kOperations, &OperationRow::operation);
constexpr auto kAllRoles = column_of(kRoles, &RoleRow::role);

template <typename Key, std::size_t size>
constexpr bool in_order(const std::array<Key, size>& keys) {
  for (std::size_t i = 0; i < size; ++i) {
    if (static_cast<std::size_t>(keys[i]) != i) return false;
  }
  return true;
}
static_assert(in_order(kAllOperations) && in_order(kAllRoles));

constexpr const OperationRow& row_of(Operation operation) noexcept {
  return kOperations[static_cast<std::size_t>(operation)];
}
constexpr const RoleRow& row_of(Role role) noexcept { return kRoles[static_cast<std::size_t>(role)]; }

// Whether a container means anything to the role.
bool has_contained_operation(Role role) noexcept {
  return std::any_of(std::begin(kOperations), std::end(kOperations), [&](const OperationRow& row) {
    return row.contained && row_of(role).operations.contains(row.operation);
  });
}

// What is in no container takes a grant for everywhere: one that is limited does not reach beyond its container.
bool gives(const Grant& grant, Operation operation) noexcept {
  return may(grant.role, operation) && (!grant.container || is_contained(operation));
}

[[noreturn]] void refuse(std::string sentence) { throw Error(ErrorKind::invalid_object, {std::move(sentence)}); }

std::string role_names() {
  std::string names;
  for (const RoleRow& row : kRoles) {
    if (!names.empty()) names += row.role == kAllRoles.back() ? " or " : ", ";
    names += row.name;
  }
  return names;
}

}  // namespace

std::string_view to_string(Role role) noexcept { return row_of(role).name; }

std::optional<Role> role_from(std::string_view name) noexcept {
  for (const RoleRow& row : kRoles) {
    if (row.name == name) return row.role;
  }
  return std::nullopt;
}

std::span<const Role> all_roles() noexcept { return kAllRoles; }

std::string_view to_string(Operation operation) noexcept { return row_of(operation).name; }
std::span<const Operation> all_operations() noexcept { return kAllOperations; }
bool is_contained(Operation operation) noexcept { return row_of(operation).contained; }

bool may(Role role, Operation operation) noexcept { return row_of(role).operations.contains(operation); }

std::string Grant::to_string() const {
  return std::string(auth::to_string(role)) + "=" + (container ? container->to_string() : "*");
}

Grant Grant::parse(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    refuse("must be ROLE=CONTAINER, such as issuer=folder:Payments or reader=*");
  }
  const auto role = role_from(text.substr(0, equals));
  if (!role) refuse("must begin with a role: " + role_names());
  const std::string_view place = text.substr(equals + 1);
  if (place == "*") return Grant{*role, std::nullopt};
  auto container = Container::parse(place);
  if (!container) {
    refuse(
        "must name a container after the '=': folder:NAME, snippet:NAME or device:NAME, the name of 1 to 64 letters, "
        "digits, '-', '_', '.' or blanks, or * for everywhere");
  }
  if (!has_contained_operation(*role)) {
    const std::string name(auth::to_string(*role));
    refuse("must be " + name + "=*, since what the role " + name + " allows is in no container");
  }
  return Grant{*role, std::move(container)};
}

Caller Caller::service() {
  std::vector<Grant> everything;
  for (const Role role : kAllRoles) everything.push_back(Grant{role, std::nullopt});
  return Caller("", std::move(everything));
}

bool Caller::may(Operation operation, const Container& container) const noexcept {
  return std::any_of(grants_.begin(), grants_.end(), [&](const Grant& grant) {
    return gives(grant, operation) && (!grant.container || *grant.container == container);
  });
}

bool Caller::may(Operation operation) const noexcept {
  return std::any_of(grants_.begin(), grants_.end(), [&](const Grant& grant) { return gives(grant, operation); });
}

ContainerScope Caller::scope(Operation operation) const {
  ContainerScope scope;
  for (const Grant& grant : grants_) {
    if (!gives(grant, operation)) continue;
    if (!grant.container) return ContainerScope::everything();
    if (!scope.contains(*grant.container)) scope.containers.push_back(*grant.container);
  }
  return scope;
}

}  // namespace hsmsigner::auth
