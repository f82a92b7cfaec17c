// The requests of clients that others wrote, in their exact form, and what those clients need of the answers.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "system/files.h"
#include "system/x509.h"

using namespace system_test;
using test_support::read_file;
using test_support::run_command;
using test_support::TemporaryDirectory;

namespace {

Account everything(const ServerFixture& server, const std::string& client_id) {
  return server.create_account(client_id, {"issuer=*", "exporter=*", "signer=*", "reader=*"});
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

bool has_envelope(const Json& json) {
  return json["data"].kind() == Json::Kind::array && json["offset"].kind() == Json::Kind::integer &&
         json["total"].kind() == Json::Kind::integer && json["limit"].kind() == Json::Kind::integer;
}

// --- the official Go client, v1: generated from the published description; decodes every answer as JSON, of whatever
// status; its numbers are float32, its required fields go out even when empty.
class GoClient {
 public:
  explicit GoClient(const ServerFixture& server)
      : server_(server), token_(server.access_token(everything(server, "go-client"))) {}

  Reply call(const std::string& method, const std::string& path, const std::string& body = "") const {
    Request request{method, "/config/identity/v1" + path, {}, body};
    request.headers.emplace("Accept", "application/json");
    request.headers.emplace("User-Agent", "OpenAPI-Generator/1.0.0/go");
    request.headers.emplace("Authorization", "Bearer " + token_);
    request.headers.emplace("x-auth-jwt", "not.a.token");
    if (!body.empty()) request.headers.emplace("Content-Type", "application/json");
    Reply reply = server_.send(std::move(request));
    CAPTURE(path);
    CHECK(reply.header("content-type").starts_with("application/json"));
    CHECK_NOTHROW(reply.json());
    return reply;
  }

 private:
  const ServerFixture& server_;
  std::string token_;
};

std::string go_body(const std::string& name, const std::string& algorithm) {
  return R"({"algorithm":)" + algorithm + R"(,"certificate_name":)" + quote(name) +
         R"(,"common_name":"go.example","day_till_expiration":30.0,"digest":"sha256","folder":"Shared",)" +
         R"("hostname":["go.example"],"id":"","is_block_privateKey":true,"is_certificate_authority":false,)" +
         R"("name":"","signed_by":""})";
}

// --- the older Go client: /sse/config/v1, the folder in the query, whole pages of 2000, JSON with everything.
Reply older_call(const ServerFixture& server, const std::string& bearer, const std::string& method,
                 const std::string& target, const std::string& body = "") {
  Request request{method, "/sse/config/v1" + target, {}, body};
  request.headers.emplace("Accept", "application/json");
  request.headers.emplace("Authorization", bearer);
  if (!body.empty()) request.headers.emplace("Content-Type", "application/json");
  return server.send(std::move(request));
}

// --- the Python client
// An RSA public key in PEM from the numbers of a JSON Web Key, made by openssl.
std::string public_key_of(const Json& key) {
  const auto hex = [](const std::string& text) {
    std::string digits;
    for (const char octet : from_base64(text)) {
      digits += "0123456789ABCDEF"[static_cast<unsigned char>(octet) >> 4U];
      digits += "0123456789ABCDEF"[static_cast<unsigned char>(octet) & 15U];
    }
    return digits;
  };
  const TemporaryDirectory directory;
  test_support::must_run({"openssl", "asn1parse", "-noout", "-genconf",
                          directory.write("key.conf", "asn1=SEQUENCE:key\n[key]\nn=INTEGER:0x" + hex(key["n"].text()) +
                                                          "\ne=INTEGER:0x" + hex(key["e"].text()) + "\n"),
                          "-out", directory.file("key.der")});
  return openssl({"rsa", "-RSAPublicKey_in", "-inform", "DER", "-pubout"}, read_file(directory.file("key.der")));
}

struct Jwt {
  Json header;
  Json claims;
  std::string signed_part;
  std::string signature;

  explicit Jwt(const std::string& token) {
    const std::size_t first = token.find('.');
    const std::size_t second = token.find('.', first + 1);
    if (first == std::string::npos || second == std::string::npos) throw std::runtime_error("no JWT: " + token);
    header = Json::parse(from_base64(token.substr(0, first)));
    claims = Json::parse(from_base64(token.substr(first + 1, second - first - 1)));
    signed_part = token.substr(0, second);
    signature = from_base64(token.substr(second + 1));
  }

  bool verifies(const std::string& public_key) const {
    const TemporaryDirectory directory;
    return run_command({"openssl", "dgst", "-sha256", "-verify", directory.write("key.pem", public_key), "-signature",
                        directory.write("signature", signature), directory.write("data", signed_part)})
               .exit_code == 0;
  }
};

Request python_token_request(const std::string& path, const Account& account, bool secret_in_form) {
  std::vector<std::pair<std::string, std::string>> form = {
      {"grant_type", "client_credentials"},
      {"client_id", account.client_id},
      {"scope", "tsg_id:1234567890"},
      {"tsg_id", "1234567890"},
      {"token_url", "https://auth.apps.paloaltonetworks.com/am/oauth2/access_token"}};
  if (secret_in_form) form.emplace_back("client_secret", account.client_secret);
  Request request = form_request(path, form);
  request.headers.erase("Authorization");
  request.headers.emplace("Authorization", "Basic " + base64(account.client_id + ":" + account.client_secret));
  request.headers.emplace("Accept", "application/json");
  request.headers.find("Content-Type")->second = "application/x-www-form-urlencoded;charset=UTF-8";
  return request;
}

Reply python_get(const ServerFixture& server, const std::string& token, const std::string& query) {
  return server.send({"GET",
                      "/config/identity/v1/certificates" + query,
                      {{"Authorization", "Bearer " + token},
                       {"Accept", "*/*"},
                       {"Accept-Encoding", "gzip, deflate, br"},
                       {"User-Agent", "python-requests/2.32.3"},
                       {"Content-Type", "application/json"}},
                      ""});
}

}  // namespace

TEST_CASE("the official Go client generates, with floats for bits and days and empty id and name") {
  const ServerFixture server;
  const GoClient client(server);
  struct Row {
    const char* name;
    const char* algorithm;
    const char* key;
  };
  for (const Row& row : {Row{"rsa", R"({"rsa_number_of_bits":2048.0})", "rsaEncryption 2048"},
                         Row{"ec", R"({"ecdsa_number_of_bits":256.0})", "id-ecPublicKey 256"},
                         Row{"misprint", R"({"ecdsa_number_of_bits":245.0})", "id-ecPublicKey 256"},
                         Row{"exponent", R"({"ecdsa_number_of_bits":3.84e+02})", "id-ecPublicKey 384"}}) {
    CAPTURE(row.algorithm);
    const Reply reply = client.call("POST", "/certificates", go_body(row.name, row.algorithm));
    REQUIRE_MESSAGE(reply.status == 201, reply.body);
    const Json made = reply.json();
    CHECK(made["name"].text() == row.name);
    CHECK(made["folder"].text() == "Shared");
    CHECK(public_key(made["public_key"].text()) == row.key);
    CHECK(not_after(made["public_key"].text()) - not_before(made["public_key"].text()) == 30LL * 86400);
    CHECK(reply.header("location") == "/config/identity/v1/certificates/" + made["id"].text());
    // What the generated model types as strings is strings.
    for (const char* field :
         {"id", "name", "algorithm", "common_name", "common_name_int", "expiry_epoch", "issuer", "issuer_hash",
          "not_valid_after", "not_valid_before", "public_key", "subject", "subject_hash", "subject_int"}) {
      CAPTURE(field);
      CHECK(made[field].kind() == Json::Kind::text);
    }
    CHECK(made["ca"].kind() == Json::Kind::boolean);
  }
}

TEST_CASE("the official Go client lists: four envelope keys on the list and on the look-up by name") {
  const ServerFixture server;
  const GoClient client(server);
  const Json made = client.call("POST", "/certificates", go_body("one", R"({"ecdsa_number_of_bits":256.0})")).json();
  client.call("POST", "/certificates", go_body("two", R"({"ecdsa_number_of_bits":256.0})"));

  const Json list = client.call("GET", "/certificates?folder=Shared&limit=200&offset=0").json();
  CHECK(has_envelope(list));
  CHECK(sorted(list.names()) == std::vector<std::string>{"data", "limit", "offset", "total"});
  CHECK(list["total"].integer() == 2);
  CHECK(list["data"].items().size() == 2);

  const Json by_name = client.call("GET", "/certificates?folder=Shared&name=one").json();
  CHECK(has_envelope(by_name));
  REQUIRE(by_name["data"].items().size() == 1);
  CHECK(by_name["total"].integer() == 1);
  CHECK(by_name["data"].at(0)["id"].text() == made["id"].text());

  const Json by_id = client.call("GET", "/certificates/" + made["id"].text()).json();
  CHECK(by_id["id"].text() == made["id"].text());
  CHECK(client.call("DELETE", "/certificates/" + made["id"].text()).status == 200);
}

TEST_CASE("the official Go client gets JSON with every status") {
  const ServerFixture server;
  const GoClient client(server);
  const Reply made = client.call("POST", "/certificates", go_body("one", R"({"ecdsa_number_of_bits":256.0})"));
  const std::string id = made.json()["id"].text();
  struct Row {
    const char* method;
    std::string path;
    std::string body;
    int status;
  };
  for (const Row& row : std::vector<Row>{
           {"GET", "/certificates", "", 200},
           {"GET", "/certificates/" + id, "", 200},
           {"GET", "/certificates/00000000-0000-4000-8000-000000000000", "", 404},
           {"GET", "/certificates?folder=Shared&name=none", "", 404},
           {"GET", "/certificates?name=one", "", 400},
           {"POST", "/certificates", go_body("one", R"({"ecdsa_number_of_bits":256.0})"), 409},
           {"POST", "/certificates", go_body("two", R"({"ecdsa_number_of_bits":2048.0})"), 400},
           {"POST", "/certificates", go_body("two", R"({"rsa_number_of_bits":2048.5})"), 400},
           {"PUT", "/certificates/" + id, "{}", 501},
           {"POST", "/certificates/" + id + ":move", "{}", 405},
           {"POST", "/certificates/" + id + ":export", R"({"format":"pem","passphrase":""})", 201},
           {"POST", "/certificates/" + id + ":export", R"({"format":"pkcs12","passphrase":"longer"})", 403},
           {"DELETE", "/certificates/" + id, "", 200},
       }) {
    CAPTURE(row.path);
    const Reply reply = client.call(row.method, row.path, row.body);
    CHECK_MESSAGE(reply.status == row.status, reply.body);
    if (row.status < 400) continue;
    const Json error = reply.json();
    CHECK(error["_errors"].at(0)["code"].kind() == Json::Kind::text);
    CHECK(error["_errors"].at(0)["message"].kind() == Json::Kind::text);
    CHECK(error["_errors"].at(0)["details"].kind() == Json::Kind::object);
    CHECK(error["_request_id"].kind() == Json::Kind::text);
  }
  // Without a token too, and with x-auth-jwt alone, which is no credential.
  for (const std::multimap<std::string, std::string>& headers : std::vector<std::multimap<std::string, std::string>>{
           {{"Authorization", "none"}}, {{"Authorization", "none"}, {"x-auth-jwt", server.bearer()}}}) {
    const Reply reply = server.send({"GET", "/config/identity/v1/certificates", headers, ""});
    check_error(reply, 401, "E016", "Not Authenticated");
  }
}

TEST_CASE("the official Go client imports and exports") {
  const ServerFixture server;
  const GoClient client(server);
  const std::string key = new_key("RSA:2048");
  const std::string pem = self_signed(key, "go.example");
  const Reply reply = client.call("POST", "/certificates:import",
                                  Body()
                                      .text("certificate_file", base64(pem))
                                      .text("folder", "Shared")
                                      .text("format", "pem")
                                      .text("key_file", base64(key))
                                      .text("name", "imported")
                                      .json());
  REQUIRE_MESSAGE(reply.status == 201, reply.body);
  const Reply exported =
      client.call("POST", "/certificates/" + reply.json()["id"].text() + ":export", R"({"format":"pem"})");
  CHECK(exported.status == 201);
  CHECK(exported.json()["certificate"].text() == pem);
}

TEST_CASE("the older Go client: folder in the query, pages by limit, offset and total, a JSON body on DELETE") {
  const ServerFixture server;
  const std::string bearer = "Bearer " + server.access_token(everything(server, "older"));
  std::set<std::string> made;
  for (int i = 0; i < 5; ++i) {
    const Reply reply = older_call(server, bearer, "POST", "/certificates?folder=Mobile%20Users",
                                   certificate("c" + std::to_string(i)).drop("folder").json());
    REQUIRE_MESSAGE(reply.status == 201, reply.body);
    CHECK(reply.json()["folder"].text() == "Mobile Users");
    made.insert(reply.json()["id"].text());
  }
  server.must_generate(certificate("elsewhere"));

  // Its loop: whole pages until as many have come as `total` says.
  for (const int limit : {2000, 2}) {
    CAPTURE(limit);
    std::set<std::string> seen;
    std::int64_t total = 1;
    int pages = 0;
    while (static_cast<std::int64_t>(seen.size()) < total && pages < 10) {
      ++pages;
      const Json page = older_call(server, bearer, "GET",
                                   "/certificates?limit=" + std::to_string(limit) +
                                       "&offset=" + std::to_string(seen.size()) + "&folder=Mobile%20Users")
                            .json();
      REQUIRE(has_envelope(page));
      total = page["total"].integer();
      for (const Json& item : page["data"].items()) seen.insert(item["id"].text());
    }
    CHECK(total == 5);
    CHECK(seen == made);
    CHECK(pages == (limit == 2 ? 3 : 1));
  }

  const std::string victim = *made.begin();
  check_error(older_call(server, bearer, "DELETE", "/certificates/" + victim + "?folder=Shared"), 404, "E005",
              "Object Not Present");
  const Reply deleted = older_call(server, bearer, "DELETE", "/certificates/" + victim + "?folder=Mobile%20Users",
                                   Body().text("id", victim).json());
  CHECK_MESSAGE(deleted.status == 200, deleted.body);
  CHECK(deleted.json()["id"].text() == victim);
  check_error(older_call(server, bearer, "GET", "/certificates/" + victim), 404, "E005", "Object Not Present");

  // A plus is a space in no query of theirs; names come percent-encoded.
  const std::string name = deleted.json()["name"].text() == "c4" ? "c3" : "c4";
  const Reply by_name = older_call(server, bearer, "GET", "/certificates?name=" + name + "&folder=Mobile%20Users");
  CHECK(by_name.status == 200);
  CHECK(by_name.json()["name"].text() == name);
}

TEST_CASE("the Python client: a token by Basic and form, checked against the keys beside the token URL") {
  const ServerFixture server;
  const Account account = everything(server, "python-client@1234567890.iam.panserviceaccount.com");
  for (const std::string base : {"/oauth2", "/auth/v1/oauth2", "/am/oauth2"}) {
    for (const bool secret_in_form : {false, true}) {
      CAPTURE(base);
      CAPTURE(secret_in_form);
      const std::string token_url = base + "/access_token";
      const Reply reply = server.send(python_token_request(token_url, account, secret_in_form));
      REQUIRE_MESSAGE(reply.status == 200, reply.body);
      CHECK(reply.header("content-type").starts_with("application/json"));
      const Json answer = reply.json();
      CHECK(answer["token_type"].text() == "Bearer");
      CHECK(answer["expires_in"].integer() == 900);
      CHECK(answer["scope"].text() == "tsg_id:1234567890");

      // PyJWKClient: the last part of the URL replaced.
      const std::string keys_url = token_url.substr(0, token_url.rfind('/')) + "/connect/jwk_uri";
      const Json keys = server.send({"GET", keys_url, {{"Authorization", "none"}}, ""}).json();
      const Jwt jwt(answer["access_token"].text());
      CHECK(jwt.header["alg"].text() == "RS256");
      const Json* found = nullptr;
      for (const Json& key : keys["keys"].items()) {
        CHECK(key["kty"].text() == "RSA");
        if (key["kid"].text() == jwt.header["kid"].text()) found = &key;
      }
      REQUIRE(found != nullptr);
      if ((*found)["use"].exists()) CHECK((*found)["use"].text() == "sig");
      CHECK(jwt.verifies(public_key_of(*found)));
      Jwt forged = jwt;
      forged.signed_part[forged.signed_part.size() - 3] ^= 1;
      CHECK_FALSE(forged.verifies(public_key_of(*found)));
      CHECK(jwt.claims["aud"].text() == account.client_id);
      CHECK(jwt.claims["sub"].text() == account.client_id);
      CHECK(jwt.claims["exp"].integer() - jwt.claims["iat"].integer() == 900);
      CHECK(python_get(server, answer["access_token"].text(), "?folder=Shared&limit=1").status == 200);
    }
  }
  // oauthlib reads `error` and `error_description`.
  Account wrong = account;
  wrong.client_secret += "x";
  const Reply refused = server.send(python_token_request("/am/oauth2/access_token", wrong, true));
  CHECK(refused.status == 401);
  CHECK(refused.json()["error"].text() == "invalid_client");
  CHECK(refused.json()["error_description"].kind() == Json::Kind::text);
}

TEST_CASE("the Python client: bare fields on the look-up by name, paging until a short page, errors by errorType") {
  const ServerFixture server;
  const Account account = everything(server, "python");
  const std::string token =
      server.send(python_token_request("/am/oauth2/access_token", account, true)).json()["access_token"].text();
  for (int i = 0; i < 5; ++i) server.must_generate(certificate("c" + std::to_string(i)).text("folder", "Texas"));

  // fetch(): "id" at the top, no data[0].
  const Json fetched = python_get(server, token, "?folder=Texas&name=c3").json();
  CHECK(fetched["name"].text() == "c3");
  CHECK(fetched["folder"].text() == "Texas");
  CHECK(fetched["id"].kind() == Json::Kind::text);
  CHECK(fetched["common_name"].text() == "Test c3");

  // list(): until a page is shorter than its limit; five make an empty last page with a limit of five.
  for (const std::size_t limit : {std::size_t{2}, std::size_t{5}, std::size_t{2500}}) {
    CAPTURE(limit);
    std::vector<std::string> names;
    for (std::size_t offset = 0, pages = 0; pages < 10; offset += limit, ++pages) {
      const Reply reply = python_get(
          server, token, "?folder=Texas&limit=" + std::to_string(limit) + "&offset=" + std::to_string(offset));
      REQUIRE_MESSAGE(reply.status == 200, reply.body);
      const Json page = reply.json();
      for (const Json& item : page["data"].items()) names.push_back(item["name"].text());
      if (page["data"].items().size() < limit) break;
    }
    CHECK(names == std::vector<std::string>{"c0", "c1", "c2", "c3", "c4"});
  }

  // Its exceptions are chosen by status and details.errorType.
  struct Row {
    std::string query;
    int status;
    const char* type;
  };
  for (const Row& row : std::vector<Row>{{"?folder=Texas&name=none", 404, "Object Not Present"},
                                         {"?name=c1", 400, "Missing Query Parameter"},
                                         {"?folder=Texas&x=y", 400, "Invalid Query Parameter"}}) {
    CAPTURE(row.query);
    const Reply reply = python_get(server, token, row.query);
    CHECK(reply.status == row.status);
    const Json error = reply.json();
    CHECK(error["_errors"].at(0)["details"]["errorType"].text() == row.type);
    CHECK(error["_request_id"].text() == reply.header("x-request-id"));
  }
  const Reply taken = server.send({"POST",
                                   "/config/identity/v1/certificates",
                                   {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}},
                                   certificate("c1").text("folder", "Texas").json()});
  CHECK(taken.status == 409);
  const Json error = taken.json();
  CHECK(error["_errors"].at(0)["details"]["errorType"].text() == "Name Not Unique");
}
