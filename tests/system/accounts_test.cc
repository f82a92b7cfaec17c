// Accounts (HTTP contract, section 6): by command line and over HTTP, and what becomes of their secrets.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <set>
#include <thread>

#include "system/account_calls.h"

using namespace system_test;

namespace {

const std::vector<std::string> kMembers = {"client_id",
                                           "description",
                                           "state",
                                           "grants",
                                           "secret_initial",
                                           "expires_at",
                                           "certificate_fingerprint",
                                           "certificate_subject",
                                           "created_at",
                                           "changed_at"};

std::vector<std::string> with_secret() {
  std::vector<std::string> names = kMembers;
  names.push_back("client_secret");
  return names;
}

const std::string kReader = R"([{"role":"reader","container":"*"}])";

// {"client_id":…,"client_secret":…}, somewhere in what a command wrote.
Account handed_out(const std::string& output) {
  const std::size_t at = output.find("{\"client_id\"");
  REQUIRE_MESSAGE(at != std::string::npos, output);
  const Json json = Json::parse(output.substr(at, output.find('\n', at) - at));
  return {json["client_id"].text(), json["client_secret"].text()};
}

Account handed_out(const Reply& reply) {
  REQUIRE_MESSAGE(reply.status == 201, reply.body);
  return {reply.json()["client_id"].text(), reply.json()["client_secret"].text()};
}

Account create(const ServerFixture& server, const std::string& client_id, const std::string& grants = kReader) {
  return handed_out(server.post("/accounts", Body().text("client_id", client_id).set("grants", grants).json()));
}

void check_refused_client(const Reply& reply) {
  INFO("answer: " << reply.status << " " << reply.body);
  CHECK(reply.status == 401);
  CHECK(reply.json()["error"].text() == "invalid_client");
  CHECK(reply.header("www-authenticate").starts_with("Basic "));
}

bool names(const std::vector<std::string>& sentences, const std::string& beginning) {
  for (const std::string& sentence : sentences) {
    if (sentence.starts_with(beginning)) return true;
  }
  return false;
}

// 256 bits in base64url (RFC 4648 5).
bool looks_like_a_secret(const std::string& text) {
  return text.size() == 43 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
             std::string::npos;
}

}  // namespace

TEST_CASE("an account made by command calls the running server at once, and its secret is shown that one time only") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"issuer=folder:Payments", "reader=*"},
                                                {"--own", "--description", "the payment team's"});
  CHECK(account.client_id == "payments");
  CHECK(looks_like_a_secret(account.client_secret));
  const std::string token = server.access_token(account);
  CHECK(call(server, token, "GET", "/certificates").status == 200);

  for (const auto& arguments :
       {std::vector<std::string>{"account", "list"}, std::vector<std::string>{"account", "show", "payments"}}) {
    const auto shown = server.command(arguments);
    CAPTURE(shown.out);
    CHECK(shown.exit_code == 0);
    for (const char* part : {"payments", "the payment team's", "enabled", "issuer=folder:Payments", "reader=*"}) {
      CHECK_MESSAGE(holds(shown.out, part), part);
    }
    CHECK(holds(shown.out, "tester") == (arguments.size() == 2));
    CHECK_FALSE(holds(shown.out, account.client_secret));
  }
  for (const char* target : {"/accounts", "/accounts/payments"}) {
    const Reply reply = server.get(target);
    CHECK(reply.status == 200);
    CHECK(holds(reply.body, "payments"));
    CHECK_FALSE(holds(reply.body, account.client_secret));
    CHECK_FALSE(holds(reply.body, "client_secret"));
  }
  CHECK_FALSE(holds(server.output(), account.client_secret));
  CHECK(holds(store_on_disk(server), "payments"));
  CHECK_FALSE(holds(store_on_disk(server), account.client_secret));
}

TEST_CASE("an account without a client id of the caller's choice is given a UUID") {
  const ServerFixture server;
  const auto made = server.command({"account", "create", "--grant", "reader=*"});
  CHECK(handed_out(made.out).client_id.size() == 36);
  CHECK(handed_out(server.post("/accounts", Body().set("grants", kReader).json())).client_id.size() == 36);
}

TEST_CASE("two secrets are never the same") {
  const ServerFixture server;
  std::set<std::string> secrets;
  for (int i = 0; i < 20; ++i) secrets.insert(create(server, "client-" + std::to_string(i)).client_secret);
  CHECK(secrets.size() == 20);
}

TEST_CASE("account disable voids tokens at once, and account enable lets new ones be made but revives none") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  const std::string token = server.access_token(account);
  REQUIRE(call(server, token, "GET", "/certificates").status == 200);

  const auto disabled = server.command({"account", "disable", "payments"});
  CHECK_MESSAGE(disabled.exit_code == 0, disabled.out);
  CHECK(holds(disabled.out, "disabled"));
  check_error(call(server, token, "GET", "/certificates"), 401, "E016", "Invalid Credential");
  check_refused_client(server.request_token(account));
  CHECK(server.get("/accounts/payments").json()["state"].text() == "disabled");

  const auto enabled = server.command({"account", "enable", "payments"});
  CHECK_MESSAGE(enabled.exit_code == 0, enabled.out);
  check_error(call(server, token, "GET", "/certificates"), 401, "E016", "Invalid Credential");
  CHECK(call(server, server.access_token(account), "GET", "/certificates").status == 200);
}

TEST_CASE("account rotate ends the old secret and its tokens at once, and the new secret is initial") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  const std::string token = server.access_token(account);
  const auto rotated = server.command({"account", "rotate", "payments"});
  CHECK_MESSAGE(rotated.exit_code == 0, rotated.out);
  const Account fresh = handed_out(rotated.out);
  CHECK(fresh.client_id == "payments");
  CHECK(fresh.client_secret != account.client_secret);
  check_error(call(server, token, "GET", "/certificates"), 401, "E016", "Invalid Credential");
  check_refused_client(server.request_token(account));
  check_error(call(server, server.access_token(fresh), "GET", "/certificates"), 401, "E016",
              "The password needs to be changed.");
}

TEST_CASE("POST /accounts answers the account with its secret, and nothing shows the secret again") {
  ServerFixture server({.settings = {{"log.level", "\"debug\""}}, .environment = {}});
  const std::string body = Body()
                               .text("client_id", "pay.ments_1@x-y")
                               .text("description", "Zahlungen \"ä\"")
                               .set("expires_in_days", "30")
                               .set("grants", R"([{"role":"issuer","container":"folder:My Payments"},)"
                                              R"({"role":"reader","container":"*"}])")
                               .json();
  const Reply made = server.post("/accounts", body);
  REQUIRE_MESSAGE(made.status == 201, made.body);
  CHECK(made.header("location") == "/accounts/pay.ments_1@x-y");
  CHECK(made.header("cache-control") == "no-store");
  const Json json = made.json();
  CHECK(json.names() == with_secret());
  CHECK(json["description"].text() == "Zahlungen \"ä\"");
  CHECK(json["state"].text() == "enabled");
  CHECK(json["secret_initial"].boolean());
  CHECK(json["grants"].items().size() == 2);
  CHECK(json["grants"].at(0)["role"].text() == "issuer");
  CHECK(json["grants"].at(0)["container"].text() == "folder:My Payments");
  CHECK(json["grants"].at(1)["container"].text() == "*");
  const std::string secret = json["client_secret"].text();
  CHECK(looks_like_a_secret(secret));

  const Reply got = server.get(made.header("location"));
  CHECK(got.status == 200);
  CHECK(got.json().names() == kMembers);
  for (const std::string name : {"client_id", "description", "state", "expires_at", "created_at", "changed_at"}) {
    CHECK_MESSAGE(got.json()[name].text() == json[name].text(), name);
  }
  const Json list = server.get("/accounts").json();
  CHECK(list.names() == std::vector<std::string>{"data", "offset", "total", "limit"});
  REQUIRE(list["data"].items().size() == 2);  // and the fixture's own
  for (const Json& account : list["data"].items()) CHECK(account.names() == kMembers);

  server.access_token({"pay.ments_1@x-y", secret});
  CHECK_FALSE(holds(server.output(), secret));
  CHECK_FALSE(holds(store_on_disk(server), secret));
  CHECK(server.stop(SIGTERM) == 0);
  CHECK_FALSE(holds(server.output(), secret));
  CHECK_FALSE(holds(store_on_disk(server), secret));
}

TEST_CASE("with an initial secret nothing but its rotation is open, and after it everything granted is") {
  const ServerFixture server;
  const Account initial = create(server, "payments",
                                 R"([{"role":"issuer","container":"*"},)"
                                 R"({"role":"auditor","container":"*"},)"
                                 R"({"role":"administrator","container":"*"}])");
  const std::string token = server.access_token(initial);
  const std::string id = "/certificates/00000000-0000-4000-8000-000000000000";
  struct Row {
    const char* method;
    std::string target;
    std::string body;
  };
  const Row rows[] = {
      {"GET", "/certificates", ""},
      {"GET", "/config/identity/v1/certificates", ""},
      {"POST", "/certificates", certificate("x").json()},
      {"POST", "/certificates:import", "{}"},
      {"GET", id, ""},
      {"DELETE", id, ""},
      {"POST", id + ":export", R"({"format":"pem"})"},
      {"GET", "/accounts", ""},
      {"POST", "/accounts", Body().set("grants", kReader).json()},
      {"GET", "/accounts/self", ""},
      {"GET", "/accounts/payments", ""},
      {"POST", "/accounts/payments:rotate", ""},
      {"POST", "/accounts/tester:disable", ""},
      {"POST", "/accounts/payments:enable", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.method);
    CAPTURE(row.target);
    const Reply reply = call(server, token, row.method, row.target, row.body);
    check_error(reply, 401, "E016", "The password needs to be changed.");
    CHECK(holds(reply.body, "/accounts/self:rotate"));
    CHECK(reply.header("www-authenticate").starts_with("Bearer "));
  }
  CHECK(server.keys() == 0);

  const Reply rotated = call(server, token, "POST", "/accounts/self:rotate");
  REQUIRE_MESSAGE(rotated.status == 201, rotated.body);
  const Json json = rotated.json();
  CHECK(json.names() ==
        std::vector<std::string>{"client_id", "client_secret", "secret_initial", "previous_secret_valid_until"});
  CHECK(json["client_id"].text() == "payments");
  CHECK_FALSE(json["secret_initial"].boolean());
  // Others have seen the initial one: no grace for it.
  CHECK(json["previous_secret_valid_until"].kind() == Json::Kind::null);
  check_refused_client(server.request_token(initial));
  check_error(call(server, token, "GET", "/certificates"), 401, "E016", "Invalid Credential");

  const std::string own = server.access_token(handed_out(rotated));
  for (const char* target : {"/certificates", "/accounts", "/accounts/self"}) {
    CHECK_MESSAGE(call(server, own, "GET", target).status == 200, target);
  }
  CHECK(call(server, own, "POST", "/certificates", certificate("x").json()).status == 201);
  CHECK_FALSE(call(server, own, "GET", "/accounts/self").json()["secret_initial"].boolean());
}

TEST_CASE("after a rotation by its holder the old secret is taken for an hour, the old tokens not a moment") {
  const ServerFixture server;
  const Account old = server.create_account("payments", {"reader=*"});
  const std::string token = server.access_token(old);
  const Reply rotated = call(server, token, "POST", "/accounts/self:rotate", "{}");
  const Account fresh = handed_out(rotated);
  CHECK(fresh.client_secret != old.client_secret);
  CHECK(rotated.json()["previous_secret_valid_until"].kind() == Json::Kind::text);
  const long long left =
      std::stoll(sqlite(server, "SELECT previous_secret_end - changed_at FROM account WHERE client_id = 'payments'"));
  CHECK(left == 3600);

  check_error(call(server, token, "GET", "/certificates"), 401, "E016", "Invalid Credential");
  for (const Account& account : {old, fresh}) {
    CHECK(call(server, server.access_token(account), "GET", "/certificates").status == 200);
  }
  // The moment that was announced.
  sqlite(server, "UPDATE account SET previous_secret_end = unixepoch() WHERE client_id = 'payments'");
  check_refused_client(server.request_token(old));
  CHECK(server.request_token(fresh).status == 200);
}

TEST_CASE("a second rotation ends the secret before the last, whatever of its grace time was left") {
  const ServerFixture server;
  const Account first = server.create_account("payments", {"reader=*"});
  const Account second = handed_out(call(server, server.access_token(first), "POST", "/accounts/self:rotate"));
  const Account third = handed_out(call(server, server.access_token(second), "POST", "/accounts/self:rotate"));
  check_refused_client(server.request_token(first));
  CHECK(server.request_token(second).status == 200);
  CHECK(server.request_token(third).status == 200);
}

TEST_CASE("auth.rotation_grace_seconds is the old secret's time, and 0 ends it at once") {
  SUBCASE("0") {
    const ServerFixture server({.settings = {{"auth.rotation_grace_seconds", "0"}}, .environment = {}});
    const Account old = server.create_account("payments", {"reader=*"});
    const Reply rotated = call(server, server.access_token(old), "POST", "/accounts/self:rotate");
    CHECK(rotated.json()["previous_secret_valid_until"].kind() == Json::Kind::null);
    check_refused_client(server.request_token(old));
    CHECK(server.request_token(handed_out(rotated)).status == 200);
  }
  SUBCASE("2") {
    const ServerFixture server({.settings = {{"auth.rotation_grace_seconds", "2"}}, .environment = {}});
    const Account old = server.create_account("payments", {"reader=*"});
    const Account fresh = handed_out(call(server, server.access_token(old), "POST", "/accounts/self:rotate"));
    std::this_thread::sleep_for(std::chrono::milliseconds(3100));
    check_refused_client(server.request_token(old));
    CHECK(server.request_token(fresh).status == 200);
  }
}

TEST_CASE("an administrator's rotation over HTTP ends the old secret at once, and the new one is initial") {
  const ServerFixture server;
  const Account old = server.create_account("payments", {"reader=*"});
  const std::string token = server.access_token(old);
  const Reply rotated = server.post("/accounts/payments:rotate", "{}");
  const Account fresh = handed_out(rotated);
  CHECK(rotated.json()["secret_initial"].boolean());
  CHECK(rotated.json()["previous_secret_valid_until"].kind() == Json::Kind::null);
  check_error(call(server, token, "GET", "/certificates"), 401, "E016", "Invalid Credential");
  check_refused_client(server.request_token(old));
  const std::string initial = server.access_token(fresh);
  check_error(call(server, initial, "GET", "/certificates"), 401, "E016", "The password needs to be changed.");
  const Account own = handed_out(call(server, initial, "POST", "/accounts/self:rotate"));
  CHECK(call(server, server.access_token(own), "GET", "/certificates").status == 200);
}

TEST_CASE("disable and enable over HTTP answer the account and count at once") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  const std::string token = server.access_token(account);
  const Reply disabled = server.send({"POST", "/accounts/payments:disable", {}, ""});
  CHECK(disabled.status == 200);
  CHECK(disabled.json().names() == kMembers);
  CHECK(disabled.json()["state"].text() == "disabled");
  check_error(call(server, token, "GET", "/certificates"), 401, "E016", "Invalid Credential");
  check_refused_client(server.request_token(account));
  const Reply enabled = server.send({"POST", "/accounts/payments:enable", {}, ""});
  CHECK(enabled.status == 200);
  CHECK(enabled.json()["state"].text() == "enabled");
  check_error(call(server, token, "GET", "/certificates"), 401, "E016", "Invalid Credential");
  CHECK(server.request_token(account).status == 200);
}

TEST_CASE("from its end on an account is refused as Key Expired, its tokens too") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"}, {"--own", "--expires-in-days", "1"});
  CHECK(sqlite(server, "SELECT expires_at - created_at FROM account WHERE client_id = 'payments'") == "86400");
  CHECK(server.get("/accounts/payments").json()["expires_at"].kind() == Json::Kind::text);
  CHECK(server.get("/accounts/tester").json()["expires_at"].kind() == Json::Kind::null);
  const std::string token = server.access_token(account);
  CHECK(call(server, token, "GET", "/certificates").status == 200);

  // A day later.
  sqlite(server, "UPDATE account SET expires_at = unixepoch() WHERE client_id = 'payments'");
  const Reply refused = call(server, token, "GET", "/certificates");
  check_error(refused, 401, "E016", "Key Expired");
  CHECK(holds(refused.header("www-authenticate"), "error=\"invalid_token\""));
  check_error(call(server, token, "POST", "/accounts/self:rotate"), 401, "E016", "Key Expired");
  const Reply no_token = server.request_token(account);
  check_refused_client(no_token);
  CHECK(holds(no_token.json()["error_description"].text(), "expired"));

  // Who does not know the secret does not learn that there is such an account.
  const Reply stranger = server.request_token({"payments", "wrong"});
  const Reply nobody = server.request_token({"nobody", "wrong"});
  check_refused_client(stranger);
  CHECK(stranger.body == nobody.body);
}

TEST_CASE("a body that makes no account is refused with the name of every faulty field") {
  const ServerFixture server;
  const auto with_grants = [](const std::string& grants) { return Body().set("grants", grants).json(); };
  struct Row {
    std::string body;
    std::vector<std::string> fields;
  };
  const Row rows[] = {
      {"{}", {"grants:"}},
      {with_grants("[]"), {"grants:"}},
      {with_grants("\"reader=*\""), {"grants:"}},
      {with_grants("[\"reader=*\"]"), {"grants[0]:"}},
      {with_grants("[{}]"), {"grants[0].role:", "grants[0].container:"}},
      {with_grants(R"([{"role":"reader"}])"), {"grants[0].container:"}},
      {with_grants(R"([{"role":"reader","container":"*","more":1}])"), {"grants[0].more:"}},
      {with_grants(R"([{"role":1,"container":"*"}])"), {"grants[0].role:"}},
      {with_grants(R"([{"role":"king","container":"*"}])"), {"grants[0]"}},
      {with_grants(R"([{"role":"Reader","container":"*"}])"), {"grants[0]"}},
      {with_grants(R"([{"role":"reader","container":"Payments"}])"), {"grants[0]"}},
      {with_grants(R"([{"role":"reader","container":"shelf:Payments"}])"), {"grants[0]"}},
      {with_grants(R"([{"role":"reader","container":"folder:"}])"), {"grants[0]"}},
      {with_grants(R"([{"role":"reader","container":"folder:a/b"}])"), {"grants[0]"}},
      {with_grants(R"([{"role":"reader","container":"folder:*"}])"), {"grants[0]"}},
      {with_grants(R"([{"role":"administrator","container":"folder:Payments"}])"), {"grants[0]"}},
      {with_grants(R"([{"role":"reader","container":"*"},{"role":"reader","container":"*"}])"), {"grants[1]:"}},
      {Body().text("client_id", "").set("grants", kReader).json(), {"client_id:"}},
      {Body().text("client_id", "a b").set("grants", kReader).json(), {"client_id:"}},
      {Body().text("client_id", "-a").set("grants", kReader).json(), {"client_id:"}},
      {Body().text("client_id", "a/b").set("grants", kReader).json(), {"client_id:"}},
      {Body().text("client_id", "self").set("grants", kReader).json(), {"client_id:"}},
      {Body().text("client_id", std::string(65, 'a')).set("grants", kReader).json(), {"client_id:"}},
      {Body().set("client_id", "7").set("grants", kReader).json(), {"client_id:"}},
      {Body().set("description", "7").set("grants", kReader).json(), {"description:"}},
      {Body().text("description", std::string(256, 'a')).set("grants", kReader).json(), {"description:"}},
      {Body().set("expires_in_days", "0").set("grants", kReader).json(), {"expires_in_days:"}},
      {Body().set("expires_in_days", "36501").set("grants", kReader).json(), {"expires_in_days:"}},
      {Body().set("expires_in_days", "1.5").set("grants", kReader).json(), {"expires_in_days:"}},
      {Body().set("expires_in_days", "\"1\"").set("grants", kReader).json(), {"expires_in_days:"}},
      {Body().text("certificate_fingerprint", "AA:BB").set("grants", kReader).json(), {"certificate_fingerprint:"}},
      {Body().set("secret_initial", "false").set("grants", kReader).json(), {"secret_initial:"}},
      {Body().text("client_secret", "mine").set("grants", kReader).json(), {"client_secret:"}},
      {Body().text("role", "reader").set("grants", kReader).json(), {"role:"}},
      // All at once.
      {Body().text("client_id", "a b").set("expires_in_days", "0").set("grants", "[]").set("x", "1").json(),
       {"client_id:", "expires_in_days:", "grants:", "x:"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    const auto sentences = check_invalid_object(server.post("/accounts", row.body));
    for (const std::string& field : row.fields) CHECK_MESSAGE(names(sentences, field), field);
  }
  check_invalid_object(server.post("/accounts", "[]"));
  check_error(server.post("/accounts", "{"), 400, "E003", "Malformed Command");
  check_error(server.send({"POST", "/accounts", {}, ""}), 400, "E003", "Missing Body");
  check_error(server.send({"POST", "/accounts", {{"Content-Type", "text/plain"}}, "{}"}), 400, "E003",
              "Input Format Mismatch: input-format=json");
  check_error(server.post("/accounts?x=y", Body().set("grants", kReader).json()), 400, "E003",
              "Invalid Query Parameter: x=y");
  CHECK(server.get("/accounts").json()["total"].integer() == 1);
}

TEST_CASE("sixty-four grants are taken and sixty-five are not") {
  const ServerFixture server;
  const auto grants = [](int count) {
    std::string text = "[";
    for (int i = 0; i < count; ++i) {
      text += std::string(i == 0 ? "" : ",") + R"({"role":"reader","container":"folder:F)" + std::to_string(i) + "\"}";
    }
    return text + "]";
  };
  CHECK(server.post("/accounts", Body().set("grants", grants(64)).json()).status == 201);
  CHECK(names_field(check_invalid_object(server.post("/accounts", Body().set("grants", grants(65)).json())), "grants"));
}

TEST_CASE("a client id is given once, by command and over HTTP") {
  const ServerFixture server;
  const Account first = create(server, "payments");
  const auto sentences =
      check_error(server.post("/accounts", Body().text("client_id", "payments").set("grants", kReader).json()), 409,
                  "E006", "Name Not Unique");
  CHECK(names(sentences, "client_id:"));
  const auto again = server.command({"account", "create", "--client-id", "payments", "--grant", "reader=*"});
  CHECK(again.exit_code != 0);
  CHECK(holds(again.out, "client_id"));
  CHECK_FALSE(holds(again.out, "client_secret"));
  CHECK(server.request_token(first).status == 200);
  // Case counts.
  CHECK(server.request_token(create(server, "Payments")).status == 200);
}

TEST_CASE("what is no account is 404, what cannot be a client id names no resource") {
  const ServerFixture server;
  const std::pair<const char*, const char*> rows[] = {{"GET", "/accounts/nobody"},
                                                      {"POST", "/accounts/nobody:rotate"},
                                                      {"POST", "/accounts/nobody:disable"},
                                                      {"POST", "/accounts/nobody:enable"}};
  for (const auto& row : rows) {
    const std::string method = row.first;
    const std::string target = row.second;
    CAPTURE(target);
    check_error(server.send({method, target, {}, ""}), 404, "E005", "Object Not Present");
  }
  check_error(server.get("/accounts/a%20b"), 400, "E013", "Bad XPath");
  check_error(server.get("/accounts/payments/secret"), 400, "E013", "Bad XPath");
  check_error(server.get("/config/identity/v1/accounts"), 400, "E013", "Bad XPath");
  check_error(server.post("/accounts/tester:explode", "{}"), 405, "E012", "Action Not Supported: explode");
  check_error(server.send({"DELETE", "/accounts/tester", {}, ""}), 501, "E012", "Method Not Supported");
  for (const std::string command : {"show", "rotate", "disable", "enable"}) {
    CAPTURE(command);
    const auto result = server.command({"account", command, "nobody"});
    CHECK(result.exit_code != 0);
    CHECK(holds(result.out, "client_id: there is no such account"));
  }
}

TEST_CASE("an action on an account takes no fields and no parameters, and none is done when one comes") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  for (const char* action : {"rotate", "disable", "enable"}) {
    const std::string target = std::string("/accounts/payments:") + action;
    CAPTURE(target);
    check_invalid_object(server.post(target, R"({"client_secret":"mine"})"));
    check_error(server.post(target + "?grace=0", "{}"), 400, "E003", "Invalid Query Parameter: grace=0");
  }
  CHECK(server.request_token(account).status == 200);
  CHECK(server.get("/accounts/payments").json()["state"].text() == "enabled");
}

TEST_CASE("GET /accounts comes in pages in the order of client ids") {
  const ServerFixture server;
  for (const char* id : {"b", "a", "d", "c"}) create(server, id);
  std::vector<std::string> seen;
  for (int offset = 0; offset < 6; offset += 2) {
    const Json page = server.get("/accounts?limit=2&offset=" + std::to_string(offset)).json();
    CHECK(page["total"].integer() == 5);
    CHECK(page["limit"].integer() == 2);
    CHECK(page["offset"].integer() == offset);
    CHECK(page["data"].items().size() <= 2);
    for (const Json& account : page["data"].items()) seen.push_back(account["client_id"].text());
  }
  CHECK(seen == std::vector<std::string>{"a", "b", "c", "d", "tester"});
  check_error(server.get("/accounts?limit=0"), 400, "E003", "Invalid Query Parameter: limit=0");
  check_error(server.get("/accounts?folder=x"), 400, "E003", "Invalid Query Parameter: folder=x");
}

TEST_CASE("an administrator gives out access and issues nothing, reads no certificate and exports none") {
  const ServerFixture server;
  const Json made = server.must_generate(certificate("x"));
  const std::string id = "/certificates/" + made["id"].text();
  const std::string token = server.access_token(server.create_account("admin", {"administrator=*"}));
  CHECK(call(server, token, "GET", "/accounts").status == 200);
  const std::size_t keys = server.keys();
  for (const Reply& reply :
       {call(server, token, "POST", "/certificates", certificate("y").json()),
        call(server, token, "POST", "/certificates:import", "{}"), call(server, token, "GET", "/certificates"),
        call(server, token, "GET", id), call(server, token, "DELETE", id),
        call(server, token, "POST", id + ":export", R"({"format":"pem"})")}) {
    check_error(reply, 403, "E007", "Unauthorized");
  }
  CHECK(server.keys() == keys);
}

TEST_CASE("--secret-file is of mode 0600, holds what stdout then does not, and overwrites nothing") {
  const ServerFixture server;
  const std::string path = server.state().file("payments.json");
  const auto created = server.command(
      {"account", "create", "--client-id", "payments", "--own", "--grant", "reader=*", "--secret-file", path});
  REQUIRE_MESSAGE(created.exit_code == 0, created.out);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  const std::string content = octets_of_file(path);
  const Account account = handed_out(content);
  CHECK(content.back() == '\n');
  CHECK(Json::parse(content).names() == std::vector<std::string>{"client_id", "client_secret"});
  CHECK_FALSE(holds(created.out, account.client_secret));
  CHECK(server.request_token(account).status == 200);

  // Neither the file nor an account is touched when the file is there.
  for (const auto& arguments :
       {std::vector<std::string>{"account", "create", "--client-id", "other", "--grant", "reader=*"},
        std::vector<std::string>{"account", "rotate", "payments"}}) {
    std::vector<std::string> with_file = arguments;
    with_file.insert(with_file.end(), {"--secret-file", path});
    const auto refused = server.command(with_file);
    CHECK(refused.exit_code != 0);
    CHECK(holds(refused.out, "--secret-file"));
    CHECK(octets_of_file(path) == content);
  }
  check_error(server.get("/accounts/other"), 404, "E005", "Object Not Present");
  CHECK(server.request_token(account).status == 200);

  // Nor is a file left behind when there is no account for it.
  const std::string left = server.state().file("left.json");
  CHECK(server.command({"account", "create", "--grant", "king=*", "--secret-file", left}).exit_code != 0);
  CHECK(server.command({"account", "create", "--client-id", "payments", "--grant", "reader=*", "--secret-file", left})
            .exit_code != 0);
  CHECK(server.command({"account", "rotate", "nobody", "--secret-file", left}).exit_code != 0);
  CHECK(::stat(left.c_str(), &status) != 0);

  const auto rotated = server.command({"account", "rotate", "payments", "--secret-file", left});
  REQUIRE_MESSAGE(rotated.exit_code == 0, rotated.out);
  CHECK(server.request_token(handed_out(octets_of_file(left))).status == 200);
  check_refused_client(server.request_token(account));
}

TEST_CASE("--secret-file does not follow a symbolic link") {
  const ServerFixture server;
  const std::string target = server.state().file("target");
  const std::string link = server.state().file("link");
  REQUIRE(::symlink(target.c_str(), link.c_str()) == 0);
  CHECK(server.command({"account", "create", "--grant", "reader=*", "--secret-file", link}).exit_code != 0);
  struct stat status {};
  CHECK(::stat(target.c_str(), &status) != 0);
}

TEST_CASE("the command line refuses faulty grants, naming each, and makes no account") {
  const ServerFixture server;
  for (const std::string grant : {"reader", "king=*", "reader=", "reader=Payments",
                                  "reader=folder:", "reader=folder:a/b", "administrator=folder:Payments", "=*"}) {
    CAPTURE(grant);
    const auto result = server.command({"account", "create", "--grant", "reader=*", "--grant", grant});
    CHECK(result.exit_code != 0);
    CHECK(holds(result.out, "--grant " + grant + ":"));
  }
  CHECK(server.command({"account", "create"}).exit_code != 0);
  CHECK(server.command({"account", "create", "--grant", "reader=*", "--expires-in-days", "0"}).exit_code != 0);
  CHECK(server.get("/accounts").json()["total"].integer() == 1);
}

TEST_CASE("every command about accounts and their tokens explains itself with an example that names it") {
  const std::vector<std::vector<std::string>> commands = {
      {"account"},
      {"account", "create"},
      {"account", "list"},
      {"account", "show"},
      {"account", "rotate"},
      {"account", "disable"},
      {"account", "enable"},
      {"access-token-key"},
      {"access-token-key", "rotate"},
      {"access-token-key", "list"},
  };
  for (std::vector<std::string> argv : commands) {
    std::string example = "hsm-signer";
    for (const std::string& word : argv) example += " " + word;
    CAPTURE(example);
    argv.insert(argv.begin(), program());
    argv.push_back("--help");
    const auto help = test_support::run_command(argv);
    CHECK(help.exit_code == 0);
    const std::size_t at = help.out.find("Example");
    REQUIRE_MESSAGE(at != std::string::npos, help.out);
    CHECK(help.out.find(example, at) != std::string::npos);
  }
}

TEST_CASE("who has the secret of before the last rotation only, in its grace time, cannot rotate again") {
  const ServerFixture server;
  const Account old = server.create_account("payments", {"reader=*"});
  const Account fresh = handed_out(call(server, server.access_token(old), "POST", "/accounts/self:rotate"));
  const std::string thief = server.access_token(old);
  CHECK(call(server, thief, "GET", "/certificates").status == 200);
  check_error(call(server, thief, "POST", "/accounts/self:rotate"), 403, "E007", "Unauthorized");
  CHECK(server.request_token(fresh).status == 200);
  CHECK(call(server, server.access_token(fresh), "POST", "/accounts/self:rotate").status == 201);
}

TEST_CASE("a request that holds back its body does not outlive its credential") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"issuer=*"});
  const std::string token = server.access_token(account);
  const std::string body = certificate("late").json();
  struct Row {
    std::string target;
    std::string text;
  };
  for (const Row& row : {Row{"/accounts/self:rotate", "{}"}, Row{"/certificates", body}}) {
    const std::string& target = row.target;
    const std::string& text = row.text;
    CAPTURE(target);
    const std::string current = server.access_token(account);
    SlowRequest request(server.port(), "POST " + target +
                                           " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                           "Authorization: Bearer " +
                                           current + "\r\nConnection: close\r\nContent-Length: " +
                                           std::to_string(text.size()) + "\r\n\r\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    REQUIRE(server.command({"account", "disable", "payments"}).exit_code == 0);
    const std::string answer = request.finish(text);
    CHECK_MESSAGE(answer.starts_with("HTTP/1.1 401"), answer);
    REQUIRE(server.command({"account", "enable", "payments"}).exit_code == 0);
    CHECK(server.request_token(account).status == 200);  // its secret is still its own
  }
  CHECK(server.keys() == 0);
}
