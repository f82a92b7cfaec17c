// Who may do what (HTTP contract, section 5, Unauthorized and Object Not Present): every route of the served document,
// by every role, in every container that matters; and what stays unseen.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "system/account_calls.h"
#include "system/files.h"
#include "system/x509.h"

using namespace system_test;

namespace {

const std::vector<std::string> kRoles = {"administrator", "issuer", "exporter", "signer",
                                         "auditor",       "reader", "monitor"};
const std::vector<std::string> kBases = {"", "/config/identity/v1", "/sse/config/v1"};

// What is needed of the world for one request to be good in every other respect.
struct World {
  const ServerFixture& server;
  std::string own;            // id of a certificate in folder Mine, its key unblocked
  std::string disposable;     // another one there, made anew for each request
  std::string public_base64;  // a certificate that is nowhere yet
  int serial = 0;             // for names
  Account caller;
};

struct Row {
  const char* method;
  const char* path;  // as the document writes it, without its base
  std::function<Request(World&)> request;
  // Roles that it is done for when they are held where the certificate is, or everywhere.
  std::set<std::string> allowed;
  int status = 0;  // then
  // The same role held elsewhere only. 0: as if it were not held.
  int elsewhere = 0;
};

Request json_request(const char* method, const std::string& target, const std::string& body) {
  return {method, target, {{"Content-Type", "application/json"}}, body};
}

// Independent of src/auth/roles.cc: HTTP contract and README in a tester's words.
std::vector<Row> table() {
  const std::set<std::string> who_read = {"issuer", "exporter", "signer", "auditor", "reader"};
  const std::set<std::string> all(kRoles.begin(), kRoles.end());
  const auto get = [](const std::string& target) {
    return [target](World&) { return Request{"GET", target, {}, ""}; };
  };
  const auto post = [](const std::string& target) {
    return [target](World&) { return Request{"POST", target, {}, ""}; };
  };
  const auto token = [](const std::string& target) {
    return [target](World& world) {
      return form_request(target, {{"grant_type", "client_credentials"},
                                   {"client_id", world.caller.client_id},
                                   {"client_secret", world.caller.client_secret}});
    };
  };
  const auto without_credential = [](const std::string& target) {
    return [target](World&) { return Request{"GET", target, {{"Authorization", "none"}}, ""}; };
  };
  return {
      {"GET", "/certificates", get("/certificates"), who_read, 200, 200},
      {"GET", "/certificates", get("/certificates?folder=Mine"), who_read, 200, 200},
      {"GET", "/certificates", get("/certificates?folder=Mine&name=own"), who_read, 200, 404},
      {"POST",
       "/certificates",
       [](World& world) {
         const std::string name = "made " + std::to_string(++world.serial);
         return json_request("POST", "/certificates", certificate(name).text("folder", "Mine").json());
       },
       {"issuer"},
       201,
       403},
      {"POST",
       "/certificates:import",
       [](World& world) {
         return json_request("POST", "/certificates:import",
                             Body()
                                 .text("folder", "Mine")
                                 .text("name", "imported " + std::to_string(++world.serial))
                                 .text("format", "pem")
                                 .text("certificate_file", world.public_base64)
                                 .json());
       },
       {"issuer"},
       201,
       403},
      {"GET", "/certificates/{id}",
       [](World& world) {
         return Request{"GET", "/certificates/" + world.own, {}, ""};
       },
       who_read, 200, 404},
      {"DELETE",
       "/certificates/{id}",
       [](World& world) {
         return Request{"DELETE", "/certificates/" + world.disposable, {}, ""};
       },
       {"issuer"},
       200,
       404},
      {"POST", "/certificates/{id}:export",
       [](World& world) {
         return json_request("POST", "/certificates/" + world.own + ":export", R"({"format":"pem"})");
       },
       who_read, 201, 404},
      {"POST", "/certificates/{id}:export",
       [](World& world) {
         return json_request("POST", "/certificates/" + world.own + ":export", R"({"format":"der"})");
       },
       who_read, 201, 404},
      {"POST",
       "/certificates/{id}:export",
       [](World& world) {
         return json_request("POST", "/certificates/" + world.own + ":export",
                             R"({"format":"pkcs12","passphrase":"secret-of-6"})");
       },
       {"exporter"},
       201,
       404},
      {"POST",
       "/certificates/{id}:export",
       [](World& world) {
         return json_request("POST", "/certificates/" + world.own + ":export",
                             R"({"format":"pem","passphrase":"secret-of-6"})");
       },
       {"exporter"},
       201,
       404},

      {"GET",
       "/certificates/{id}/evidence",
       [](World& world) {
         return Request{"GET", "/certificates/" + world.own + "/evidence?nonce=abc", {}, ""};
       },
       {"issuer", "auditor"},
       200,
       404},

      {"GET", "/accounts", get("/accounts"), {"administrator", "auditor"}, 200},
      {"POST",
       "/accounts",
       [](World&) { return json_request("POST", "/accounts", R"({"grants":[{"role":"reader","container":"*"}]})"); },
       {"administrator"},
       201},
      {"GET", "/accounts/self", get("/accounts/self"), all, 200, 200},
      {"POST", "/accounts/self:rotate", post("/accounts/self:rotate"), all, 201, 201},
      {"GET", "/accounts/{client_id}", get("/accounts/somebody"), {"administrator", "auditor"}, 200},
      {"POST", "/accounts/{client_id}:rotate", post("/accounts/somebody:rotate"), {"administrator"}, 201},
      {"POST", "/accounts/{client_id}:disable", post("/accounts/somebody:disable"), {"administrator"}, 200},
      {"POST", "/accounts/{client_id}:enable", post("/accounts/somebody:enable"), {"administrator"}, 200},

      {"GET", "/audit/events", get("/audit/events"), {"auditor"}, 200},
      {"GET", "/audit/checkpoints", get("/audit/checkpoints"), {"auditor"}, 200},
      {"GET", "/audit/keys", get("/audit/keys"), {"auditor"}, 200},
      {"GET", "/reports/compliance", get("/reports/compliance"), {"auditor"}, 200},
      {"GET", "/metrics", get("/metrics"), {"auditor", "monitor"}, 200},

      {"POST", "/oauth2/access_token", token("/oauth2/access_token"), all, 200, 200},
      {"POST", "/auth/v1/oauth2/access_token", token("/auth/v1/oauth2/access_token"), all, 200, 200},
      {"POST", "/am/oauth2/access_token", token("/am/oauth2/access_token"), all, 200, 200},
      {"GET", "/oauth2/connect/jwk_uri", without_credential("/oauth2/connect/jwk_uri"), all, 200, 200},
      {"GET", "/auth/v1/oauth2/connect/jwk_uri", without_credential("/auth/v1/oauth2/connect/jwk_uri"), all, 200, 200},
      {"GET", "/am/oauth2/connect/jwk_uri", without_credential("/am/oauth2/connect/jwk_uri"), all, 200, 200},
      {"GET", "/openapi.json", without_credential("/openapi.json"), all, 200, 200},
  };
}

// Accounts, the journal and metrics are in no container: a role in one does not reach them.
bool in_no_container(const Row& row) {
  const std::string path = row.path;
  return path.starts_with("/audit/") || path.starts_with("/reports/") || path == "/metrics" ||
         (path.starts_with("/accounts") && !path.starts_with("/accounts/self"));
}

bool is_open(const Row& row) {
  const std::string path = row.path;
  return path == "/openapi.json" || path.find("oauth2/") != std::string::npos;
}

struct Operation {
  std::string method;
  std::string base;
  std::string path;
};

std::vector<Operation> operations_of_the_document(const ServerFixture& server) {
  const Reply reply = server.send({"GET", "/openapi.json", {{"Authorization", "none"}}, ""});
  REQUIRE(reply.status == 200);
  const Json document = reply.json();
  std::vector<Operation> operations;
  for (const auto& [path, item] : document["paths"].members()) {
    std::string base;
    for (const std::string& candidate : kBases) {
      if (path.starts_with(candidate + "/")) base = std::max(base, candidate);
    }
    for (const auto& [member, unused] : item.members()) {
      if (member == "parameters" || member == "summary" || member == "description" || member == "servers") continue;
      std::string method;
      for (const char c : member) method += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      operations.push_back({method, base, path.substr(base.size())});
    }
  }
  return operations;
}

// What the role allows is in no container, so it is held everywhere; it sees no certificate.
bool beside_containers(const std::string& role) { return role == "administrator" || role == "monitor"; }

int expected_status(const Row& row, const std::string& role, const std::string& container) {
  const bool here = container == "*" || (container == "folder:Mine" && !in_no_container(row));
  if (!row.allowed.contains(role)) {
    // What a private key's export is refused with tells nothing to those who do not see the certificate.
    const bool sees = here && !beside_containers(role);
    const bool export_of_key = std::string(row.path) == "/certificates/{id}:export" && row.allowed.size() == 1;
    if (export_of_key && !beside_containers(role) && !sees) return 404;
    return 403;
  }
  if (here) return row.status;
  return row.elsewhere == 0 ? 403 : row.elsewhere;
}

Body certificate_in(const std::string& folder, const std::string& name) {
  return certificate(name).text("folder", folder);
}

Body authority_in(const std::string& folder, const std::string& name) {
  return certificate_in(folder, name).set("is_certificate_authority", "true");
}

std::vector<std::string> names_in(const Json& list) {
  std::vector<std::string> names;
  for (const Json& item : list["data"].items()) names.push_back(item["name"].text());
  return names;
}

std::string token_of(const ServerFixture& server, const std::string& client_id,
                     const std::vector<std::string>& grants) {
  return server.access_token(server.create_account(client_id, grants));
}

}  // namespace

TEST_CASE("every route of the served document has its row here, and every row a route") {
  const ServerFixture server;
  const std::vector<Row> rows = table();
  const auto operations = operations_of_the_document(server);
  CHECK(operations.size() >= 20);
  for (const Operation& operation : operations) {
    const bool known = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
      return row.method == operation.method && row.path == operation.path;
    });
    CHECK_MESSAGE(known, operation.method << " " << operation.path << " has no row: say who may call it");
  }
  for (const Row& row : rows) {
    CAPTURE(row.path);
    for (const std::string& base : kBases) {
      const bool served = std::any_of(operations.begin(), operations.end(), [&](const Operation& operation) {
        return operation.method == row.method && operation.path == row.path && operation.base == base;
      });
      CHECK(served == (base.empty() || std::string(row.path).starts_with("/certificates")));
    }
  }
}

TEST_CASE("every route does for every role in every container what the table says, and nothing else") {
  const ServerFixture server;
  World world{server, "", "", base64(self_signed(new_key("P-256"), "imported")), 0, {}};
  world.own = server.must_generate(certificate_in("Mine", "own").set("is_block_privateKey", "false"))["id"].text();
  server.must_generate(certificate_in("Theirs", "theirs"));
  server.create_account("somebody", {"reader=*"});

  std::size_t walked = 0;
  for (const std::string& role : kRoles) {
    for (const std::string container : {"*", "folder:Mine", "folder:Theirs", "snippet:Mine"}) {
      // accounts_test asks that it cannot be another.
      if (beside_containers(role) && container != "*") continue;
      world.caller = server.create_account("caller-" + std::to_string(walked), {role + "=" + container});
      std::string token = server.access_token(world.caller);
      for (const Row& row : table()) {
        for (const std::string& base : kBases) {
          if (!base.empty() && !std::string(row.path).starts_with("/certificates")) continue;
          if (std::string(row.method) == "DELETE" && world.disposable.empty()) {
            world.disposable =
                server.must_generate(certificate_in("Mine", "disposable " + std::to_string(++world.serial)))["id"]
                    .text();
          }
          Request request = row.request(world);
          request.target = base + request.target;
          if (!request.headers.contains("Authorization")) request.headers.emplace("Authorization", "Bearer " + token);
          INFO(role << "=" << container << ": " << request.method << " " << request.target << " " << request.body);
          const Reply reply = server.send(request);
          CHECK_MESSAGE(reply.status == expected_status(row, role, container), reply.body);
          ++walked;

          if (reply.status == 403) check_error(reply, 403, "E007", "Unauthorized");
          if (reply.status == 404) check_error(reply, 404, "E005", "Object Not Present");
          if (reply.status == 200 && request.method == "DELETE") world.disposable.clear();
          if (reply.status == 201 && std::string(row.path) == "/certificates:import") {
            // Or the next import would be of the same certificate again.
            CHECK(server.send({"DELETE", "/certificates/" + reply.json()["id"].text(), {}, ""}).status == 200);
          }
          if (reply.status == 201 && std::string(row.path) == "/accounts/self:rotate") {
            world.caller.client_secret = reply.json()["client_secret"].text();
            token = server.access_token(world.caller);
          }
        }
      }
    }
  }
  CHECK(walked > 500);
}

TEST_CASE("without a credential only the open routes answer, and a HEAD needs what its GET needs") {
  const ServerFixture server;
  World world{server, "00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000000", "", 0, {}};
  world.caller = server.create_account("caller", {"reader=*"});
  for (const Row& row : table()) {
    Request request = row.request(world);
    CAPTURE(request.target);
    request.headers.erase("Authorization");
    request.headers.emplace("Authorization", "none");
    const Reply reply = server.send(request);
    if (is_open(row)) {
      CHECK(reply.status == 200);
    } else {
      check_error(reply, 401, "E016", "Not Authenticated");
    }
    if (request.method != "GET") continue;
    request.method = "HEAD";
    CHECK(server.send(request).status == (is_open(row) ? 200 : 401));
  }
}

TEST_CASE("lists and totals hold what the caller may see, also when they come in pages") {
  const ServerFixture server;
  for (int i = 0; i < 5; ++i) server.must_generate(certificate_in("A", "a" + std::to_string(i)));
  for (int i = 0; i < 4; ++i) server.must_generate(certificate_in("B", "b" + std::to_string(i)));
  for (int i = 0; i < 2; ++i) {
    server.must_generate(certificate("s" + std::to_string(i)).drop("folder").text("snippet", "A"));
  }
  const std::string a = token_of(server, "a", {"reader=folder:A"});
  const std::string snippet = token_of(server, "snippet", {"reader=snippet:A"});
  const std::string both = token_of(server, "both", {"reader=folder:B", "issuer=snippet:A"});
  const std::string none = token_of(server, "none", {"auditor=device:A"});
  const std::string all = token_of(server, "all", {"reader=folder:A", "auditor=*"});
  const auto total = [&](const std::string& token, const std::string& query) {
    const Reply reply = call(server, token, "GET", "/certificates" + query);
    REQUIRE(reply.status == 200);
    CHECK(reply.json()["data"].items().size() == static_cast<std::size_t>(reply.json()["total"].integer()));
    return reply.json()["total"].integer();
  };
  CHECK(total(a, "") == 5);
  CHECK(total(snippet, "") == 2);
  CHECK(total(both, "") == 6);
  CHECK(total(none, "") == 0);
  CHECK(total(all, "") == 11);
  CHECK(total(a, "?folder=A") == 5);
  CHECK(total(a, "?folder=B") == 0);
  CHECK(total(a, "?snippet=A") == 0);
  CHECK(total(both, "?folder=A") == 0);
  CHECK(total(both, "?snippet=A") == 2);
  CHECK(total(all, "?folder=B") == 4);

  // Pages have no gaps where the unseen are.
  std::vector<std::string> seen;
  for (int offset = 0; offset < 8; offset += 2) {
    const Json page = call(server, both, "GET", "/certificates?limit=2&offset=" + std::to_string(offset)).json();
    CHECK(page["total"].integer() == 6);
    CHECK(page["data"].items().size() == (offset < 6 ? 2U : 0U));
    for (const std::string& name : names_in(page)) seen.push_back(name);
  }
  CHECK(seen == std::vector<std::string>{"b0", "b1", "b2", "b3", "s0", "s1"});
}

TEST_CASE("what may not be seen is told from what is not there by no answer") {
  const ServerFixture server;
  const Json hidden = server.must_generate(certificate_in("Theirs", "hidden"));
  const std::string token = token_of(server, "mine", {"issuer=folder:Mine", "exporter=folder:Mine"});
  const std::string there = "/certificates/" + hidden["id"].text();
  const std::string nowhere = "/certificates/00000000-0000-4000-8000-000000000000";
  struct Pair {
    const char* method;
    std::string hidden;
    std::string absent;
    std::string body;
  };
  const Pair pairs[] = {
      {"GET", there, nowhere, ""},
      {"GET", there + "?folder=Theirs", nowhere + "?folder=Theirs", ""},
      {"GET", there + "?folder=Mine", nowhere + "?folder=Mine", ""},
      {"DELETE", there, nowhere, ""},
      {"DELETE", there, nowhere, R"({"folder":"Theirs"})"},
      {"DELETE", there, nowhere, R"({"folder":"Mine"})"},
      {"POST", there + ":export", nowhere + ":export", R"({"format":"pem"})"},
      {"POST", there + ":export", nowhere + ":export", R"({"format":"pem","folder":"Mine"})"},
      {"POST", there + ":export", nowhere + ":export", R"({"format":"pkcs12","passphrase":"secret-of-6"})"},
      {"POST", there + ":export", nowhere + ":export", R"({"format":"pkcs10"})"},
      {"POST", there + ":export", nowhere + ":export", R"({"format":"nonsense"})"},
      {"GET", "/certificates?folder=Theirs&name=hidden", "/certificates?folder=Theirs&name=absent", ""},
  };
  for (const Pair& pair : pairs) {
    CAPTURE(pair.method);
    CAPTURE(pair.hidden);
    CAPTURE(pair.body);
    const Reply seen = call(server, token, pair.method, pair.hidden, pair.body);
    const Reply absent = call(server, token, pair.method, pair.absent, pair.body);
    const auto sentences = check_error(seen, 404, "E005", "Object Not Present");
    CHECK(sentences == check_error(absent, 404, "E005", "Object Not Present"));
  }
  CHECK(server.get(there).status == 200);
}

TEST_CASE("an authority in a container that the caller cannot see is no authority, and nothing hints at it") {
  const ServerFixture server;
  const Json hidden = server.must_generate(authority_in("Infra", "root"));
  const std::string token = token_of(server, "payments", {"issuer=folder:Payments"});
  const auto sign_by = [&](const std::string& signed_by) {
    return call(server, token, "POST", "/certificates",
                certificate_in("Payments", "leaf").text("signed_by", signed_by).json());
  };
  const auto absent = check_invalid_object(sign_by("absent"));
  CHECK(check_invalid_object(sign_by("root")) == absent);
  CHECK(check_invalid_object(sign_by(hidden["id"].text())) == absent);
  CHECK(server.keys() == 1);

  // Namesakes that are not seen make nothing ambiguous.
  server.must_generate(authority_in("Other", "root"));
  CHECK(check_invalid_object(sign_by("root")) == absent);
  const Json own = server.must_generate(authority_in("Payments", "root"));
  const Reply leaf = sign_by("root");
  REQUIRE_MESSAGE(leaf.status == 201, leaf.body);
  CHECK(verify(leaf.json()["public_key"].text(), "", own["public_key"].text()) == "");
}

TEST_CASE("an authority that the caller sees and may not use is refused as Unauthorized, one that it may use signs") {
  const ServerFixture server;
  const Json root = server.must_generate(authority_in("Infra", "root"));
  const auto sign = [&](const std::string& token, const std::string& name, const std::string& signed_by) {
    return call(server, token, "POST", "/certificates",
                certificate_in("Payments", name).text("signed_by", signed_by).json());
  };
  for (const std::string role : {"reader", "auditor", "exporter"}) {
    CAPTURE(role);
    const std::string token = token_of(server, role, {"issuer=folder:Payments", role + "=folder:Infra"});
    for (const std::string& signed_by : {std::string("root"), root["id"].text()}) {
      const auto sentences = check_error(sign(token, "leaf", signed_by), 403, "E007", "Unauthorized");
      CHECK(names_field(sentences, "signed_by"));
    }
  }
  CHECK(server.keys() == 1);
  for (const std::string role : {"signer", "issuer"}) {
    CAPTURE(role);
    const std::string token = token_of(server, role, {"issuer=folder:Payments", role + "=folder:Infra"});
    const Reply leaf = sign(token, "leaf of " + role, "root");
    REQUIRE_MESSAGE(leaf.status == 201, leaf.body);
    CHECK(verify(leaf.json()["public_key"].text(), "", root["public_key"].text()) == "");
  }
  // The use of a key is not the right to issue.
  const std::string signer = token_of(server, "signer-only", {"signer=*"});
  check_error(sign(signer, "leaf", "root"), 403, "E007", "Unauthorized");
}

TEST_CASE("who may not issue in a container learns nothing of the faults of a request to do so") {
  const ServerFixture server;
  server.must_generate(certificate_in("Theirs", "taken"));
  const std::string token = token_of(server, "mine", {"issuer=folder:Mine"});
  const auto free_name =
      check_error(call(server, token, "POST", "/certificates", certificate_in("Theirs", "free").json()), 403, "E007",
                  "Unauthorized");
  const auto taken_name =
      check_error(call(server, token, "POST", "/certificates", certificate_in("Theirs", "taken").json()), 403, "E007",
                  "Unauthorized");
  CHECK(free_name == taken_name);
}

TEST_CASE("a private key is exported by an exporter of its container alone, and a blocked one by nobody") {
  const ServerFixture server;
  const Json open = server.must_generate(certificate_in("Mine", "open").set("is_block_privateKey", "false"));
  const Json blocked = server.must_generate(certificate_in("Mine", "blocked"));
  const Json pending = server.must_generate(certificate_in("Mine", "pending").text("signed_by", "external"));
  const std::string pkcs12 = R"({"format":"pkcs12","passphrase":"secret-of-6"})";
  const std::string pem = R"({"format":"pem","passphrase":"secret-of-6"})";
  const auto export_of = [&](const std::string& token, const Json& made, const std::string& body) {
    return call(server, token, "POST", "/certificates/" + made["id"].text() + ":export", body);
  };
  for (const std::string role : {"issuer", "signer", "auditor", "reader"}) {
    CAPTURE(role);
    const std::string token = token_of(server, role, {role + "=*"});
    for (const std::string& body : {pkcs12, pem}) {
      check_error(export_of(token, open, body), 403, "E007", "Unauthorized");
      // The role is asked for first.
      check_error(export_of(token, blocked, body), 403, "E007", "Unauthorized");
      check_error(export_of(token, pending, body), 403, "E007", "Unauthorized");
    }
    CHECK(export_of(token, open, R"({"format":"pem"})").status == 201);
    CHECK_FALSE(holds(export_of(token, open, R"({"format":"pem"})").body, "PRIVATE KEY"));
  }
  const std::string elsewhere = token_of(server, "elsewhere", {"exporter=folder:Theirs", "reader=folder:Mine"});
  check_error(export_of(elsewhere, open, pkcs12), 403, "E007", "Unauthorized");

  const std::string exporter = token_of(server, "exporter", {"exporter=folder:Mine"});
  CHECK(export_of(exporter, open, pkcs12).status == 201);
  const Reply with_key = export_of(exporter, open, pem);
  CHECK(with_key.status == 201);
  CHECK(holds(with_key.body, "ENCRYPTED PRIVATE KEY"));
  for (const std::string& body : {pkcs12, pem}) {
    check_error(export_of(exporter, blocked, body), 403, "E007", "Private Key Export Blocked");
  }
}

TEST_CASE("roles add up, each in its own container") {
  const ServerFixture server;
  const Json mine = server.must_generate(certificate_in("Mine", "x").set("is_block_privateKey", "false"));
  const Json theirs = server.must_generate(certificate_in("Theirs", "x").set("is_block_privateKey", "false"));
  const std::string token = token_of(server, "both", {"issuer=folder:Mine", "exporter=folder:Theirs"});
  const std::string pkcs12 = R"({"format":"pkcs12","passphrase":"secret-of-6"})";
  check_error(call(server, token, "POST", "/certificates/" + mine["id"].text() + ":export", pkcs12), 403, "E007",
              "Unauthorized");
  CHECK(call(server, token, "POST", "/certificates/" + theirs["id"].text() + ":export", pkcs12).status == 201);
  check_error(call(server, token, "DELETE", "/certificates/" + theirs["id"].text()), 403, "E007", "Unauthorized");
  CHECK(call(server, token, "DELETE", "/certificates/" + mine["id"].text()).status == 200);
  check_error(call(server, token, "POST", "/certificates", certificate_in("Theirs", "y").json()), 403, "E007",
              "Unauthorized");
  CHECK(call(server, token, "POST", "/certificates", certificate_in("Mine", "y").json()).status == 201);
}

TEST_CASE("containers are told apart by kind and by case") {
  const ServerFixture server;
  const std::string token = token_of(server, "mine", {"issuer=folder:Mine"});
  CHECK(call(server, token, "POST", "/certificates", certificate_in("Mine", "x").json()).status == 201);
  for (const Body& body : {certificate_in("mine", "x"), certificate_in("Mine ", "x"),
                           certificate("x").drop("folder").text("snippet", "Mine"),
                           certificate("x").drop("folder").text("device", "Mine")}) {
    CAPTURE(body.json());
    check_error(call(server, token, "POST", "/certificates", body.json()), 403, "E007", "Unauthorized");
  }
  // In the query as in the body.
  check_error(call(server, token, "POST", "/certificates?folder=Theirs", certificate("x").drop("folder").json()), 403,
              "E007", "Unauthorized");
}

TEST_CASE("to use an authority is not to found another one below it") {
  const ServerFixture server;
  server.must_generate(certificate("Corp CA").text("folder", "Authorities").set("is_certificate_authority", "true"));
  const std::string payments =
      server.access_token(server.create_account("payments", {"issuer=folder:Payments", "signer=folder:Authorities"}));
  const std::string authorities = server.access_token(
      server.create_account("authorities", {"issuer=folder:Payments", "issuer=folder:Authorities"}));
  const Body leaf = certificate("leaf").text("folder", "Payments").text("signed_by", "Corp CA");
  const Body authority = Body(leaf).text("certificate_name", "sub").set("is_certificate_authority", "true");
  CHECK(call(server, payments, "POST", "/certificates", leaf.json()).status == 201);
  check_error(call(server, payments, "POST", "/certificates", authority.json()), 403, "E007", "Unauthorized");
  CHECK(call(server, authorities, "POST", "/certificates", authority.json()).status == 201);
}

TEST_CASE("an id in signed_by means that certificate, and never one that has it for a name") {
  const ServerFixture server;
  const std::string id = "00000000-0000-4000-8000-000000000000";
  server.must_generate(certificate(id).set("is_certificate_authority", "true"));
  const auto sentences = check_invalid_object(server.generate(certificate("leaf").text("signed_by", id)));
  CHECK(names_field(sentences, "signed_by"));
}

TEST_CASE("a namesake that a caller may not use does not stand in its way") {
  const ServerFixture server;
  for (const char* folder : {"Authorities", "Elsewhere"}) {
    server.must_generate(certificate("Corp CA").text("folder", folder).set("is_certificate_authority", "true"));
  }
  const std::string token = server.access_token(server.create_account(
      "payments", {"issuer=folder:Payments", "signer=folder:Authorities", "reader=folder:Elsewhere"}));
  const Reply made = call(server, token, "POST", "/certificates",
                          certificate("leaf").text("folder", "Payments").text("signed_by", "Corp CA").json());
  CHECK_MESSAGE(made.status == 201, made.body);
}
