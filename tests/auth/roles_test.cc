#include "auth/roles.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "base/error.h"

using namespace hsmsigner;
using namespace hsmsigner::auth;

namespace {

const Container kPayments{ContainerKind::folder, "Payments"};
const Container kOther{ContainerKind::folder, "Other"};
const Container kSnippet{ContainerKind::snippet, "Payments"};

// Written from issues 3 and 4, not from the code.
const std::map<std::string, std::set<std::string>> kTable{
    {"administrator", {"read_accounts", "change_accounts"}},
    {"issuer",
     {"read_certificates", "generate_certificate", "import_certificate", "delete_certificate", "use_key",
      "read_evidence"}},
    {"exporter", {"read_certificates", "export_private_key"}},
    {"signer", {"read_certificates", "use_key"}},
    {"auditor", {"read_certificates", "read_evidence", "read_accounts", "read_journal", "read_report", "read_metrics"}},
    {"reader", {"read_certificates"}},
    {"monitor", {"read_metrics"}},
};
const std::set<std::string> kOperations{"read_certificates",  "generate_certificate", "import_certificate",
                                        "delete_certificate", "export_private_key",   "use_key",
                                        "read_evidence",      "read_accounts",        "change_accounts",
                                        "read_journal",       "read_report",          "read_metrics"};
const std::set<std::string> kUncontained{"read_accounts", "change_accounts", "read_journal", "read_report",
                                         "read_metrics"};

Caller caller(std::initializer_list<const char*> grants) {
  std::vector<Grant> parsed;
  for (const char* grant : grants) parsed.push_back(Grant::parse(grant));
  return Caller("client", std::move(parsed));
}

std::string fault_of(std::string_view grant) {
  try {
    const Grant parsed = Grant::parse(grant);
    return "taken: " + parsed.to_string();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_object);
    REQUIRE(error.details().size() == 1);
    return error.details()[0];
  }
}

}  // namespace

TEST_CASE("the table of roles says what the issue says, cell by cell") {
  CHECK(all_roles().size() == kTable.size());
  CHECK(all_operations().size() == kOperations.size());
  for (const Role role : all_roles()) {
    REQUIRE(kTable.contains(std::string(to_string(role))));
    const auto& allowed = kTable.at(std::string(to_string(role)));
    for (const Operation operation : all_operations()) {
      const std::string name(to_string(operation));
      CAPTURE(to_string(role));
      CAPTURE(name);
      CHECK(may(role, operation) == allowed.contains(name));
    }
  }
}

TEST_CASE("roles and operations have a name each, and a role is found by its own") {
  std::set<std::string> roles;
  for (const Role role : all_roles()) {
    roles.emplace(to_string(role));
    CHECK(role_from(to_string(role)) == role);
  }
  CHECK(roles.size() == kTable.size());
  std::set<std::string> operations;
  for (const Operation operation : all_operations()) {
    operations.emplace(to_string(operation));
    CHECK(is_contained(operation) == !kUncontained.contains(std::string(to_string(operation))));
  }
  CHECK(operations == kOperations);
  for (const char* none : {"", "Issuer", "issuer ", "issue", "issuers", "*", "root"}) CHECK_FALSE(role_from(none));
}

TEST_CASE("every role in every place allows its operations there and nowhere else") {
  for (const Role role : all_roles()) {
    for (const Operation operation : all_operations()) {
      CAPTURE(to_string(role));
      CAPTURE(to_string(operation));
      const bool allowed = kTable.at(std::string(to_string(role))).contains(std::string(to_string(operation)));
      const bool contained = !kUncontained.contains(std::string(to_string(operation)));

      const Caller everywhere("client", {Grant{role, std::nullopt}});
      CHECK(everywhere.may(operation) == allowed);
      CHECK(everywhere.may(operation, kPayments) == allowed);
      CHECK(everywhere.may(operation, kOther) == allowed);
      CHECK(everywhere.scope(operation).all == allowed);
      CHECK(everywhere.scope(operation).containers.empty());

      const Caller limited("client", {Grant{role, kPayments}});
      CHECK(limited.may(operation) == (allowed && contained));
      CHECK(limited.may(operation, kPayments) == (allowed && contained));
      CHECK_FALSE(limited.may(operation, kOther));
      CHECK_FALSE(limited.may(operation, kSnippet));
      CHECK_FALSE(limited.scope(operation).all);
      CHECK(limited.scope(operation).contains(kPayments) == (allowed && contained));
      CHECK_FALSE(limited.scope(operation).contains(kOther));
    }
  }
}

TEST_CASE("an administrator issues nothing, and an issuer takes no key away and gives no access") {
  const Caller administrator = caller({"administrator=*"});
  for (const Operation operation : all_operations()) {
    if (is_contained(operation)) CHECK_FALSE(administrator.may(operation));
  }
  const Caller issuer = caller({"issuer=*"});
  CHECK_FALSE(issuer.may(Operation::export_private_key));
  CHECK_FALSE(issuer.may(Operation::change_accounts));
  CHECK_FALSE(issuer.may(Operation::read_accounts));
}

TEST_CASE("without a grant nothing is allowed anywhere") {
  const Caller nobody("client", {});
  for (const Operation operation : all_operations()) {
    CHECK_FALSE(nobody.may(operation));
    CHECK_FALSE(nobody.may(operation, kPayments));
    CHECK_FALSE(nobody.scope(operation).all);
    CHECK(nobody.scope(operation).containers.empty());
  }
}

TEST_CASE("grants add up, and a role in one container says nothing about another") {
  const Caller both = caller({"issuer=folder:Payments", "reader=folder:Other", "exporter=snippet:Payments"});
  CHECK(both.may(Operation::generate_certificate, kPayments));
  CHECK_FALSE(both.may(Operation::generate_certificate, kOther));
  CHECK_FALSE(both.may(Operation::generate_certificate, kSnippet));
  CHECK(both.may(Operation::read_certificates, kOther));
  CHECK(both.may(Operation::export_private_key, kSnippet));
  CHECK_FALSE(both.may(Operation::export_private_key, kPayments));
  CHECK(both.may(Operation::export_private_key));
  CHECK_FALSE(both.may(Operation::read_accounts));
  CHECK(both.client_id() == "client");
  CHECK(both.grants().size() == 3);
}

TEST_CASE("a scope names each container once, in the order of the grants") {
  const Caller several = caller({"reader=folder:Payments", "issuer=folder:Payments", "signer=device:d1",
                                 "reader=folder:Other", "auditor=device:d1"});
  const ContainerScope reads = several.scope(Operation::read_certificates);
  CHECK_FALSE(reads.all);
  CHECK(reads.containers == std::vector<Container>{kPayments, {ContainerKind::device, "d1"}, kOther});
  const ContainerScope makes = several.scope(Operation::generate_certificate);
  CHECK(makes.containers == std::vector<Container>{kPayments});
  CHECK(several.scope(Operation::use_key).containers ==
        std::vector<Container>{kPayments, {ContainerKind::device, "d1"}});
  CHECK(several.scope(Operation::export_private_key).containers.empty());
}

TEST_CASE("one grant for everywhere makes the scope everywhere, wherever it stands") {
  for (const Caller& some :
       {caller({"reader=*", "issuer=folder:Payments"}), caller({"issuer=folder:Payments", "reader=*"})}) {
    CHECK(some.scope(Operation::read_certificates).all);
    CHECK(some.scope(Operation::read_certificates).containers.empty());
    CHECK_FALSE(some.scope(Operation::generate_certificate).all);
    CHECK(some.scope(Operation::generate_certificate).containers == std::vector<Container>{kPayments});
  }
}

TEST_CASE("an auditor of one container does not read the accounts") {
  CHECK_FALSE(caller({"auditor=folder:Payments"}).may(Operation::read_accounts));
  CHECK(caller({"auditor=folder:Payments"}).may(Operation::read_certificates, kPayments));
  CHECK(caller({"auditor=*"}).may(Operation::read_accounts));
}

TEST_CASE("the service itself may do everything everywhere, under a client id that no account has") {
  const Caller service = Caller::service();
  for (const Operation operation : all_operations()) {
    CHECK(service.may(operation));
    CHECK(service.may(operation, kPayments));
    CHECK(service.scope(operation).all);
  }
  CHECK(service.client_id().empty());
}

TEST_CASE("a grant is read and written the same") {
  for (const Role role : all_roles()) {
    const std::string everywhere = std::string(to_string(role)) + "=*";
    CHECK(Grant::parse(everywhere) == Grant{role, std::nullopt});
    CHECK(Grant{role, std::nullopt}.to_string() == everywhere);
    if (role == Role::administrator || role == Role::monitor) continue;
    const std::string in_one = std::string(to_string(role)) + "=folder:Payments";
    CHECK(Grant::parse(in_one) == Grant{role, kPayments});
    CHECK(Grant{role, kPayments}.to_string() == in_one);
  }
  for (const char* text : {"reader=snippet:a b", "reader=device:A-z_0.9", "reader=folder: ",
                           "reader=folder:0123456789012345678901234567890123456789012345678901234567890123"}) {
    CAPTURE(text);
    CHECK(Grant::parse(text).to_string() == text);
  }
  CHECK_FALSE(Grant::parse("reader=folder:Payments") == Grant::parse("reader=snippet:Payments"));
}

TEST_CASE("a text that is no grant is refused with one sentence that says why") {
  for (const char* text : {"", "issuer", "issuer:folder:Payments", "*", "reader *"}) {
    CAPTURE(text);
    CHECK(fault_of(text) == "must be ROLE=CONTAINER, such as issuer=folder:Payments or reader=*");
  }
  for (const char* text :
       {"=*", "Issuer=*", " issuer=*", "issuer =*", "owner=folder:Payments", "*=*", "issuer,reader=*"}) {
    CAPTURE(text);
    CHECK(fault_of(text) ==
          "must begin with a role: administrator, issuer, exporter, signer, auditor, reader or monitor");
  }
  for (const char* text :
       {"issuer=", "issuer=Payments", "issuer=**", "issuer= *", "issuer=* ", "issuer=folder",
        "issuer=folder:", "issuer=Folder:Payments", "issuer=file:Payments", "issuer=folder:*", "issuer=folder:a/b",
        "issuer=folder:a:b", "issuer=folder:a=b", "issuer=folder:\xc3\xa4", "issuer==folder:a", "issuer=folder:a\n",
        "issuer=folder:01234567890123456789012345678901234567890123456789012345678901234", "administrator=Payments"}) {
    CAPTURE(text);
    CHECK(fault_of(text).find("must name a container after the '=': folder:NAME, snippet:NAME or device:NAME") == 0);
  }
  CHECK(fault_of(std::string_view("issuer=folder:a\0b", 17)).find("must name a container") == 0);
  for (const char* text : {"administrator=folder:Payments", "administrator=device:d1"}) {
    CAPTURE(text);
    CHECK(fault_of(text) == "must be administrator=*, since what the role administrator allows is in no container");
  }
  CHECK(fault_of("monitor=folder:Payments") ==
        "must be monitor=*, since what the role monitor allows is in no container");
}
