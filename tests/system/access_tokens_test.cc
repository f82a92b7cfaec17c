// Access tokens (HTTP contract, section 6; RFC 6749, 7515, 7517, 7519): how they are had, what they are, and when they
// are refused. The openssl command is the judge of signatures.
#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <ctime>
#include <thread>

#include "system/account_calls.h"
#include "system/files.h"

using namespace system_test;
using test_support::must_run;
using test_support::run_command;

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

const char* const kTokenPaths[] = {"/oauth2/access_token", "/auth/v1/oauth2/access_token", "/am/oauth2/access_token"};
const char* const kKeyPaths[] = {"/oauth2/connect/jwk_uri", "/auth/v1/oauth2/connect/jwk_uri",
                                 "/am/oauth2/connect/jwk_uri"};

std::string base64url(const std::string& octets) {
  std::string text = base64(octets);
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string hex(const std::string& octets) {
  const char* const digits = "0123456789ABCDEF";
  std::string text;
  for (const char c : octets) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::string basic(const std::string& client_id, const std::string& secret) {
  return "Basic " + base64(client_id + ":" + secret);
}

Reply ask(const ServerFixture& server, const Fields& fields, const std::string& authorization = "none",
          const std::string& path = kTokenPaths[0]) {
  Request request = form_request(path, fields);
  request.headers.erase("Authorization");
  request.headers.emplace("Authorization", authorization);
  return server.send(request);
}

struct Jwt {
  std::string signed_text;
  Json header;
  Json payload;
  std::string signature;
};

Jwt parse(const std::string& token) {
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  REQUIRE(second != std::string::npos);
  REQUIRE(token.find('.', second + 1) == std::string::npos);
  return {token.substr(0, second), Json::parse(from_base64(token.substr(0, first))),
          Json::parse(from_base64(token.substr(first + 1, second - first - 1))), from_base64(token.substr(second + 1))};
}

Json published_keys(const ServerFixture& server) {
  const Reply reply = server.send({"GET", kKeyPaths[0], {{"Authorization", "none"}}, ""});
  REQUIRE(reply.status == 200);
  return reply.json()["keys"];
}

const Json& key_with(const Json& keys, const std::string& kid) {
  for (const Json& key : keys.items()) {
    if (key["kid"].text() == kid) return key;
  }
  throw std::runtime_error("no key " + kid);
}

// A JWK as a SubjectPublicKeyInfo, put together by openssl.
std::string key_file(const test_support::TemporaryDirectory& directory, const Json& jwk) {
  const std::string description = directory.write(
      "key.cnf",
      "asn1=SEQUENCE:spki\n[spki]\nalgorithm=SEQUENCE:algorithm\nkey=BITWRAP,SEQUENCE:rsa\n"
      "[algorithm]\noid=OID:rsaEncryption\nparameter=NULL\n[rsa]\nn=INTEGER:0x" +
          hex(from_base64(jwk["n"].text())) + "\ne=INTEGER:0x" + hex(from_base64(jwk["e"].text())) + "\n");
  must_run({"openssl", "asn1parse", "-genconf", description, "-noout", "-out", directory.file("key.der")});
  must_run({"openssl", "pkey", "-pubin", "-inform", "DER", "-in", directory.file("key.der"), "-out",
            directory.file("key.pem")});
  return directory.file("key.pem");
}

bool openssl_verifies(const Jwt& jwt, const Json& jwk, const std::string& signed_text) {
  const test_support::TemporaryDirectory directory;
  const std::string key = key_file(directory, jwk);
  const auto result = run_command({"openssl", "dgst", "-sha256", "-verify", key, "-signature",
                                   directory.write("signature", jwt.signature), directory.write("text", signed_text)});
  CHECK_MESSAGE((holds(result.out, "Verified OK") || holds(result.out, "Verification failure")), result.out);
  return result.exit_code == 0;
}

// A token of the test's own making, signed by the service's own key: who has the PIN can.
std::string signed_by_the_token(const ServerFixture& server, const std::string& header, const std::string& payload,
                                const std::string& kid) {
  const test_support::TemporaryDirectory directory;
  std::string id = kid;
  std::erase(id, '-');
  const std::string text = base64url(header) + "." + base64url(payload);
  server.token().pkcs11_tool({"--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", id, "--input-file",
                              directory.write("text", text), "--output-file", directory.file("signature")});
  return text + "." + base64url(octets_of_file(directory.file("signature")));
}

std::string header_json(const std::string& kid) { return R"({"alg":"RS256","typ":"JWT","kid":")" + kid + "\"}"; }

// The payload of a token that is good for the fixture's own account, now, as text.
std::string good_payload(const ServerFixture& server) {
  const std::string token = server.bearer();
  const std::size_t first = token.find('.');
  return from_base64(token.substr(first + 1, token.rfind('.') - first - 1));
}

// With another value for a claim; `json` as it stands.
std::string with_claim(const std::string& payload, const std::string& name, const std::string& json) {
  const std::string member = "\"" + name + "\":";
  const std::size_t at = payload.find(member);
  REQUIRE(at != std::string::npos);
  const std::size_t value = at + member.size();
  // No claim's value holds one of these.
  return payload.substr(0, value) + json + payload.substr(payload.find_first_of(",}", value));
}

std::string with_claim(const std::string& payload, const std::string& name, long long value) {
  return with_claim(payload, name, std::to_string(value));
}

void check_oauth_error(const Reply& reply, int status, const std::string& error) {
  INFO("answer: " << reply.status << " " << reply.body);
  CHECK(reply.status == status);
  CHECK(reply.header("content-type").starts_with("application/json"));
  CHECK(reply.json().names() == std::vector<std::string>{"error", "error_description"});
  CHECK(reply.json()["error"].text() == error);
  // RFC 6749 5.2: no '"' and no '\' in it.
  const std::string description = reply.json()["error_description"].text();
  CHECK_FALSE(description.empty());
  CHECK(description.find_first_of("\"\\") == std::string::npos);
  CHECK(reply.header("www-authenticate").starts_with("Basic ") == (status == 401));
  CHECK(reply.header("cache-control") == "no-store");
  CHECK_FALSE(reply.header("x-request-id").empty());
}

Reply with_authorization(const ServerFixture& server, const std::string& authorization,
                         const std::string& target = "/certificates") {
  return server.send({"GET", target, {{"Authorization", authorization}}, ""});
}

void check_invalid_credential(const Reply& reply) {
  check_error(reply, 401, "E016", "Invalid Credential");
  CHECK(reply.header("www-authenticate") == "Bearer realm=\"hsm-signer\", error=\"invalid_token\"");
}

}  // namespace

TEST_CASE("a token is had at each of the three places, by Basic and by the form, and opens the certificates") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  for (const char* path : kTokenPaths) {
    for (const bool by_basic : {true, false}) {
      CAPTURE(path);
      CAPTURE(by_basic);
      Fields fields = {{"grant_type", "client_credentials"}, {"scope", "tsg_id:1234 email"}};
      if (!by_basic) {
        fields.emplace_back("client_id", account.client_id);
        fields.emplace_back("client_secret", account.client_secret);
      }
      const Reply reply =
          ask(server, fields, by_basic ? basic(account.client_id, account.client_secret) : "none", path);
      REQUIRE_MESSAGE(reply.status == 200, reply.body);
      CHECK(reply.header("content-type").starts_with("application/json"));
      CHECK(reply.header("cache-control") == "no-store");  // RFC 6749 5.1
      CHECK(reply.header("pragma") == "no-cache");
      const Json json = reply.json();
      CHECK(json.names() == std::vector<std::string>{"access_token", "token_type", "expires_in", "scope"});
      CHECK(json["token_type"].text() == "Bearer");
      CHECK(json["expires_in"].integer() == 900);
      CHECK(json["scope"].text() == "tsg_id:1234 email");
      const std::string token = json["access_token"].text();
      CHECK(parse(token).payload["scope"].text() == "tsg_id:1234 email");
      CHECK(call(server, token, "GET", "/certificates").status == 200);
      // Schemes are case-insensitive (RFC 9110 11.1), which the contract's proxy does not know.
      CHECK(server.send({"GET", "/certificates", {{"Authorization", "bearer " + token}}, "", true}).status == 200);
    }
  }
}

TEST_CASE("fields that nobody knows are passed over, and Basic credentials may be repeated in the form") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  const Fields common = {{"grant_type", "client_credentials"},
                         {"auth_url", "https://x"},
                         {"tsg_id", "1"},
                         {"", "nameless"},
                         {"x", "1"},
                         {"x", "2"}};
  Fields in_form = common;
  in_form.emplace_back("client_id", account.client_id);
  in_form.emplace_back("client_secret", account.client_secret);
  for (const Reply& reply : {ask(server, in_form), ask(server, common, basic(account.client_id, account.client_secret)),
                             ask(server, in_form, basic(account.client_id, account.client_secret))}) {
    CHECK_MESSAGE(reply.status == 200, reply.body);
    CHECK(reply.json()["scope"].text() == "");
  }
}

TEST_CASE("Basic credentials are form-encoded within, as RFC 6749 2.3.1 says") {
  const ServerFixture server;
  const Account account = server.create_account("pay@ments", {"reader=*"});
  CHECK(ask(server, {{"grant_type", "client_credentials"}}, basic("pay%40ments", account.client_secret)).status == 200);
}

TEST_CASE("whatever is wrong with a request for a token is said in OAuth's form") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  const std::string& id = account.client_id;
  const std::string& secret = account.client_secret;
  const std::pair<std::string, std::string> grant = {"grant_type", "client_credentials"};
  const std::pair<std::string, std::string> with_id = {"client_id", id};
  const std::pair<std::string, std::string> with_secret = {"client_secret", secret};
  struct Row {
    const char* what;
    Fields fields;
    std::string authorization;
    int status;
    const char* error;
  };
  const Row rows[] = {
      {"no grant type", {with_id, with_secret}, "none", 400, "invalid_request"},
      {"an empty grant type", {{"grant_type", ""}, with_id, with_secret}, "none", 400, "invalid_request"},
      {"another grant type", {{"grant_type", "password"}, with_id, with_secret}, "none", 400, "unsupported_grant_type"},
      {"the grant type twice", {grant, grant, with_id, with_secret}, "none", 400, "invalid_request"},
      {"the client twice", {grant, with_id, with_id, with_secret}, "none", 400, "invalid_request"},
      {"the secret twice", {grant, with_id, with_secret, with_secret}, "none", 400, "invalid_request"},
      {"the scope twice",
       {grant, {"scope", "a"}, {"scope", "a"}, with_id, with_secret},
       "none",
       400,
       "invalid_request"},
      {"a scope with a quotation mark",
       {grant, {"scope", "a\"b"}, with_id, with_secret},
       "none",
       400,
       "invalid_request"},
      {"a scope that is too long",
       {grant, {"scope", std::string(1025, 'a')}, with_id, with_secret},
       "none",
       400,
       "invalid_request"},
      {"no client", {grant}, "none", 401, "invalid_client"},
      {"no secret", {grant, with_id}, "none", 401, "invalid_client"},
      {"no client id", {grant, with_secret}, "none", 401, "invalid_client"},
      {"a wrong secret", {grant, with_id, {"client_secret", "wrong"}}, "none", 401, "invalid_client"},
      {"a part of the secret",
       {grant, with_id, {"client_secret", secret.substr(0, 42)}},
       "none",
       401,
       "invalid_client"},
      {"more than the secret", {grant, with_id, {"client_secret", secret + "A"}}, "none", 401, "invalid_client"},
      {"an unknown client", {grant, {"client_id", "nobody"}, with_secret}, "none", 401, "invalid_client"},
      {"a client in another case", {grant, {"client_id", "Payments"}, with_secret}, "none", 401, "invalid_client"},
      {"a secret that is too long",
       {grant, with_id, {"client_secret", std::string(1025, 'a')}},
       "none",
       401,
       "invalid_client"},
      {"Basic with a wrong secret", {grant}, basic(id, "wrong"), 401, "invalid_client"},
      {"Basic without a colon", {grant}, "Basic " + base64("payments"), 401, "invalid_client"},
      {"Basic that is no Base64", {grant}, "Basic !!!", 401, "invalid_client"},
      {"Basic of another client than the form's",
       {grant, {"client_id", "other"}},
       basic(id, secret),
       401,
       "invalid_client"},
      {"Basic with another secret than the form's",
       {grant, {"client_secret", "other"}},
       basic(id, secret),
       401,
       "invalid_client"},
      {"another scheme", {grant}, "Digest x", 401, "invalid_client"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    check_oauth_error(ask(server, row.fields, row.authorization), row.status, row.error);
  }
  const auto post = [&](const std::string& type, const std::string& body) {
    return server.send({"POST", kTokenPaths[0], {{"Content-Type", type}, {"Authorization", "none"}}, body});
  };
  check_oauth_error(post("application/json", R"({"grant_type":"client_credentials"})"), 400, "invalid_request");
  check_oauth_error(post("application/x-www-form-urlencoded", "grant_type=client%5"), 400, "invalid_request");
  check_oauth_error(server.send({"POST", kTokenPaths[0], {{"Authorization", "none"}}, ""}), 400, "invalid_request");
  const Reply got = server.send({"GET", kTokenPaths[0], {{"Authorization", "none"}}, ""});
  check_error(got, 501, "E012", "Method Not Supported");
  CHECK(got.header("allow") == "POST");
}

TEST_CASE("unknown client, wrong secret and disabled account get the same answer") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  const Reply wrong = server.request_token({"payments", "wrong"});
  const Reply unknown = server.request_token({"nobody", "wrong"});
  REQUIRE(server.command({"account", "disable", "payments"}).exit_code == 0);
  const Reply disabled = server.request_token(account);
  CHECK(wrong.body == unknown.body);
  CHECK(wrong.body == disabled.body);
}

TEST_CASE("the keys are the same at all three places, public and nothing more, and need no credential") {
  const ServerFixture server;
  std::vector<std::string> bodies;
  for (const char* path : kKeyPaths) {
    const Reply reply = server.send({"GET", path, {{"Authorization", "none"}}, ""});
    CHECK(reply.status == 200);
    CHECK(reply.header("content-type").starts_with("application/json"));
    bodies.push_back(reply.body);
    // Nor does a bad one matter.
    CHECK(with_authorization(server, "Bearer nonsense", path).status == 200);
  }
  CHECK(bodies[0] == bodies[1]);
  CHECK(bodies[0] == bodies[2]);
  const Json json = Json::parse(bodies[0]);
  CHECK(json.names() == std::vector<std::string>{"keys"});
  REQUIRE(json["keys"].items().size() == 1);
  const Json& key = json["keys"].at(0);
  CHECK(key.names() == std::vector<std::string>{"kty", "use", "alg", "kid", "n", "e"});
  CHECK(key["kty"].text() == "RSA");
  CHECK(key["use"].text() == "sig");
  CHECK(key["alg"].text() == "RS256");
  const std::string modulus = from_base64(key["n"].text());
  CHECK(modulus.size() == 256);
  CHECK(static_cast<unsigned char>(modulus.front()) >= 0x80);  // 2048 bits, without a sign octet
  CHECK(from_base64(key["e"].text()) == std::string("\1\0\1", 3));
}

TEST_CASE("the key of access tokens is born in the token and cannot leave it") {
  const ServerFixture server;
  const std::string kid = published_keys(server).at(0)["kid"].text();
  const std::string listing = server.token().pkcs11_tool({"--list-objects", "--type", "privkey"});
  CAPTURE(listing);
  std::string id = kid;
  std::erase(id, '-');
  CHECK(holds(listing, id));
  CHECK(holds(listing, "sensitive, always sensitive, never extractable, local"));
}

TEST_CASE("the token is an RS256 JWT that openssl verifies with the published key, for the client and for 15 minutes") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  const long long before = std::time(nullptr);
  const Jwt jwt = parse(server.access_token(account));
  const long long after = std::time(nullptr);
  CHECK(jwt.header["alg"].text() == "RS256");
  CHECK(jwt.header["typ"].text() == "JWT");
  const Json keys = published_keys(server);
  const Json& key = key_with(keys, jwt.header["kid"].text());
  CHECK(openssl_verifies(jwt, key, jwt.signed_text));
  std::string changed = jwt.signed_text;
  changed.back() = changed.back() == 'A' ? 'B' : 'A';
  CHECK_FALSE(openssl_verifies(jwt, key, changed));

  CHECK(jwt.payload["sub"].text() == "payments");
  CHECK(jwt.payload["aud"].text() == "payments");
  CHECK(jwt.payload["client_id"].text() == "payments");
  CHECK(jwt.payload["iss"].text() == "hsm-signer");
  const long long issued = jwt.payload["iat"].integer();
  CHECK(issued >= before);
  CHECK(issued <= after);
  CHECK(jwt.payload["nbf"].integer() == issued);
  CHECK(jwt.payload["exp"].integer() - issued == 900);
  CHECK(jwt.payload["jti"].text() != parse(server.access_token(account)).payload["jti"].text());
}

TEST_CASE("without a credential a call is Not Authenticated, and the answer says where one is had") {
  const ServerFixture server;
  for (const char* target : {"/certificates", "/config/identity/v1/certificates", "/sse/config/v1/certificates",
                             "/certificates/00000000-0000-4000-8000-000000000000", "/accounts", "/accounts/self"}) {
    CAPTURE(target);
    const Reply reply = with_authorization(server, "none", target);
    check_error(reply, 401, "E016", "Not Authenticated");
    CHECK(reply.header("www-authenticate") == "Bearer realm=\"hsm-signer\"");
    CHECK(holds(reply.body, "/oauth2/access_token"));
  }
  const Body body = certificate("x");
  check_error(
      server.send(
          {"POST", "/certificates", {{"Content-Type", "application/json"}, {"Authorization", "none"}}, body.json()}),
      401, "E016", "Not Authenticated");
  CHECK(server.keys() == 0);
}

TEST_CASE("a call is told that it is not authenticated before it is told anything of the resource") {
  const ServerFixture server;
  const auto without = [&](const std::string& method, const std::string& target) {
    return server.send({method, target, {{"Authorization", "none"}}, ""});
  };
  check_error(without("PUT", "/certificates"), 401, "E016", "Not Authenticated");
  check_error(without("GET", "/accounts/nobody"), 401, "E016", "Not Authenticated");
  check_error(without("GET", "/certificates?x=y"), 401, "E016", "Not Authenticated");
}

TEST_CASE("x-auth-jwt is no credential, and does not stand in the way of one") {
  const ServerFixture server;
  const std::string token = server.bearer().substr(7);
  check_error(server.send({"GET", "/certificates", {{"Authorization", "none"}, {"x-auth-jwt", token}}, ""}), 401,
              "E016", "Not Authenticated");
  CHECK(server.send({"GET", "/certificates", {{"x-auth-jwt", "nonsense"}}, ""}).status == 200);
}

TEST_CASE("what is not a token that this service issued is an Invalid Credential") {
  const ServerFixture server;
  const std::string token = server.bearer().substr(7);
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  const std::string header = token.substr(0, first);
  const std::string payload = token.substr(first + 1, second - first - 1);
  const std::string signature = token.substr(second + 1);
  const auto flipped = [](std::string text, std::size_t at) {
    text[at] = text[at] == 'A' ? 'B' : 'A';
    return text;
  };
  for (const std::string& authorization : std::vector<std::string>{
           "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Bearer ..", token, "Basic " + base64("tester:x"),
           "Token " + token, "Bearer " + token + "." + signature, "Bearer " + header + "." + payload,
           "Bearer " + header + "." + payload + ".", "Bearer " + token + "=", "Bearer " + token + " x",
           "Bearer " + flipped(header, 3) + "." + payload + "." + signature,
           "Bearer " + header + "." + flipped(payload, 20) + "." + signature,
           "Bearer " + header + "." + payload + "." + flipped(signature, 0),
           "Bearer " + header + "." + payload + "." + flipped(signature, 200)}) {
    CAPTURE(authorization);
    check_invalid_credential(with_authorization(server, authorization));
  }
  CHECK(with_authorization(server, "Bearer " + token).status == 200);
}

TEST_CASE("a forged token is refused, whatever algorithm or key it names") {
  const ServerFixture server;
  const test_support::TemporaryDirectory directory;
  const Json keys = published_keys(server);
  const std::string kid = keys.at(0)["kid"].text();
  const std::string payload = base64url(good_payload(server));
  must_run({"openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out",
            directory.file("other.pem")});
  const auto sign = [&](const std::string& header, const std::vector<std::string>& how) {
    const std::string text = base64url(header) + "." + payload;
    std::vector<std::string> argv = {"openssl", "dgst", "-sha256", "-binary", "-out", directory.file("signature")};
    argv.insert(argv.end(), how.begin(), how.end());
    argv.push_back(directory.write("text", text));
    must_run(argv);
    return "Bearer " + text + "." + base64url(octets_of_file(directory.file("signature")));
  };
  const std::vector<std::string> by_another_key = {"-sign", directory.file("other.pem")};
  const std::string public_key = octets_of_file(key_file(directory, keys.at(0)));
  const std::vector<std::string> by_the_public_key = {"-mac", "HMAC", "-macopt", "hexkey:" + hex(public_key)};
  check_invalid_credential(with_authorization(server, sign(header_json(kid), by_another_key)));
  check_invalid_credential(
      with_authorization(server, sign(header_json("00000000-0000-4000-8000-000000000000"), by_another_key)));
  check_invalid_credential(
      with_authorization(server, sign(R"({"alg":"HS256","typ":"JWT","kid":")" + kid + "\"}", by_the_public_key)));
  check_invalid_credential(with_authorization(server, sign(header_json(kid), by_the_public_key)));
  for (const char* algorithm : {"none", "None", "HS256", "PS256", "RS512"}) {
    const std::string header = std::string(R"({"alg":")") + algorithm + R"(","typ":"JWT","kid":")" + kid + "\"}";
    check_invalid_credential(with_authorization(server, "Bearer " + base64url(header) + "." + payload + "."));
  }
}

TEST_CASE("a token's times and parties count, even when its signature is the service's own") {
  const ServerFixture server;
  const std::string kid = published_keys(server).at(0)["kid"].text();
  const auto answer_to = [&](const std::string& payload) {
    return with_authorization(server, "Bearer " + signed_by_the_token(server, header_json(kid), payload, kid));
  };
  const std::string good = with_claim(good_payload(server), "jti", quote("another"));
  REQUIRE(answer_to(good).status == 200);  // so that what follows is refused for its claims

  const long long now = std::time(nullptr);
  const std::string old = with_claim(with_claim(good, "iat", now - 1000), "nbf", now - 1000);
  CHECK(answer_to(old).status == 200);
  const Reply expired = answer_to(with_claim(old, "exp", now - 100));
  check_error(expired, 401, "E016", "Key Expired");
  CHECK(expired.header("www-authenticate") == "Bearer realm=\"hsm-signer\", error=\"invalid_token\"");

  const std::string nobody = quote("nobody");
  const long long generation = Json::parse(good)["gen"].integer();
  for (const std::string& payload :
       {with_claim(good, "nbf", now + 600), with_claim(good, "iss", quote("another")), with_claim(good, "aud", nobody),
        with_claim(good, "client_id", nobody), with_claim(good, "sub", nobody),
        with_claim(with_claim(with_claim(good, "sub", nobody), "aud", nobody), "client_id", nobody),
        with_claim(good, "gen", generation + 1), with_claim(good, "exp", quote(std::to_string(now + 900))),
        good.substr(0, good.size() - 1) + ",\"admin\":true}"}) {
    CAPTURE(payload);
    check_invalid_credential(answer_to(payload));
  }
  // Whatever its generation, a disabled account has no good token.
  sqlite(server, "UPDATE account SET enabled = 0 WHERE client_id = 'tester'");
  check_invalid_credential(answer_to(good));
}

TEST_CASE("a credential of 4096 octets is looked at, one of 4097 is Key Too Long") {
  const ServerFixture server;
  check_invalid_credential(with_authorization(server, "Bearer " + std::string(4096, 'a')));
  for (const std::size_t length : {std::size_t{4097}, std::size_t{6000}}) {
    check_error(with_authorization(server, "Bearer " + std::string(length, 'a')), 401, "E016", "Key Too Long");
  }
}

TEST_CASE("no scope that the endpoint takes makes a token that is too long to be used") {
  const ServerFixture server;
  const Account account = server.create_account(std::string(64, 'a'), {"reader=*"});
  const Reply reply = ask(server, {{"grant_type", "client_credentials"},
                                   {"scope", std::string(1024, 'a')},
                                   {"client_id", account.client_id},
                                   {"client_secret", account.client_secret}});
  REQUIRE_MESSAGE(reply.status == 200, reply.body);
  CHECK(call(server, reply.json()["access_token"].text(), "GET", "/certificates").status == 200);
}

TEST_CASE("the tokens of an account that is gone from the store are refused at once") {
  const ServerFixture server;
  const std::string token = server.access_token(server.create_account("payments", {"reader=*"}));
  REQUIRE(call(server, token, "GET", "/certificates").status == 200);
  sqlite(server, "DELETE FROM account WHERE client_id = 'payments'");
  check_invalid_credential(with_authorization(server, "Bearer " + token));
}

TEST_CASE("after access-token-key rotate the new key signs, the old one's tokens are good, and both are published") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  const std::string old_token = server.access_token(account);
  const std::string old_kid = parse(old_token).header["kid"].text();
  const auto rotated = server.command({"access-token-key", "rotate"});
  REQUIRE_MESSAGE(rotated.exit_code == 0, rotated.out);
  const std::string listing = server.command({"access-token-key", "list"}).out;
  CHECK(holds(listing, old_kid));
  CHECK(holds(listing, "retired"));

  const std::string new_token = server.access_token(account);
  const Jwt jwt = parse(new_token);
  const std::string new_kid = jwt.header["kid"].text();
  CHECK(new_kid != old_kid);
  CHECK(holds(rotated.out, new_kid));
  for (const std::string& token : {old_token, new_token}) {
    CHECK(call(server, token, "GET", "/certificates").status == 200);
  }
  const Json keys = published_keys(server);
  CHECK(keys.items().size() == 2);
  CHECK(keys.at(0)["kid"].text() == new_kid);
  CHECK(openssl_verifies(jwt, key_with(keys, new_kid), jwt.signed_text));
  CHECK_FALSE(openssl_verifies(jwt, key_with(keys, old_kid), jwt.signed_text));
  CHECK(openssl_verifies(parse(old_token), key_with(keys, old_kid), parse(old_token).signed_text));
}

TEST_CASE("a retired key is published no more, and good for nothing, once its last token has expired") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  const std::string old_token = server.access_token(account);
  const std::string old_kid = parse(old_token).header["kid"].text();
  REQUIRE(server.command({"access-token-key", "rotate"}).exit_code == 0);
  REQUIRE(server.token().count_objects() == 3);  // with the audit key
  CHECK(server.access_token(account) != "");
  // Half an hour later.
  sqlite(server, "UPDATE access_token_key SET retired_at = retired_at - 1800 WHERE retired_at IS NOT NULL");
  const Json keys = published_keys(server);
  REQUIRE(keys.items().size() == 1);
  CHECK(keys.at(0)["kid"].text() != old_kid);
  check_invalid_credential(with_authorization(server, "Bearer " + old_token));
  // The next rotation destroys it.
  REQUIRE(server.command({"access-token-key", "rotate"}).exit_code == 0);
  CHECK(server.token().count_objects() == 3);
  CHECK(sqlite(server, "SELECT count(*) FROM access_token_key WHERE id = '" + old_kid + "'") == "0");
}

TEST_CASE("a restart keeps the key and its tokens, and a key that the token lost is replaced") {
  ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  const std::string token = server.access_token(account);
  const std::string kid = parse(token).header["kid"].text();
  CHECK(server.stop(SIGTERM) == 0);
  server.start();
  CHECK(published_keys(server).items().size() == 1);
  CHECK(call(server, token, "GET", "/certificates").status == 200);
  CHECK(parse(server.access_token(account)).header["kid"].text() == kid);

  CHECK(server.stop(SIGTERM) == 0);
  std::string id = kid;
  std::erase(id, '-');
  server.token().pkcs11_tool({"--delete-object", "--type", "privkey", "--id", id});
  server.start();
  CHECK(parse(server.access_token(account)).header["kid"].text() != kid);
  CHECK(call(server, server.access_token(account), "GET", "/certificates").status == 200);
  CHECK(server.token().count_objects() == 2);  // with the audit key
}

TEST_CASE("a token is verified without the HSM and without a write: calls go on while the HSM answers nothing") {
  const ServerFixture server({.settings = {}, .environment = {}, .faults = true});
  const Account account = server.create_account("payments", {"reader=*"});
  const std::string token = server.access_token(account);
  REQUIRE(call(server, token, "GET", "/certificates").status == 200);
  std::string plan;
  const std::vector<std::string> functions = {"C_Sign",           "C_SignInit",          "C_FindObjectsInit",
                                              "C_OpenSession",    "C_VerifyInit",        "C_DigestInit",
                                              "C_GenerateRandom", "C_GetAttributeValue", "C_GetTokenInfo"};
  for (const std::string& function : functions) plan += function + " rv=CKR_DEVICE_ERROR\n";
  server.plan(plan);
  const std::string before = store_on_disk(server);
  std::vector<std::size_t> calls;
  for (const char* function : {"C_Sign", "C_SignInit", "C_FindObjectsInit", "C_GetAttributeValue"}) {
    calls.push_back(server.faults().calls(function));
  }
  for (int i = 0; i < 20; ++i) {
    CHECK(call(server, token, "GET", "/certificates").status == 200);
    CHECK(call(server, token, "GET", "/accounts/self").status == 200);
  }
  CHECK(store_on_disk(server) == before);
  // One that does not verify is written down, and needs no HSM either.
  for (int i = 0; i < 20; ++i) {
    check_error(call(server, token.substr(0, token.size() - 8) + "AAAAAAAA", "GET", "/certificates"), 401, "E016",
                "Invalid Credential");
  }
  std::size_t at = 0;
  for (const char* function : {"C_Sign", "C_SignInit", "C_FindObjectsInit", "C_GetAttributeValue"}) {
    CHECK_MESSAGE(server.faults().calls(function) == calls[at++], function);
  }
  // What does need the HSM says so, in the error form that carries Retry-After.
  check_error(server.request_token(account), 503, "E503", "Token Unavailable");
}

TEST_CASE("wrong secrets are slowed down with 429 and Retry-After, the right one is not, nor is another account") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  const Account other = server.create_account("other", {"reader=*"});
  const Account wrong{"payments", "wrong"};
  int free_ones = 0;
  Reply reply = server.request_token(wrong);
  while (reply.status == 401 && free_ones < 50) {
    check_oauth_error(reply, 401, "invalid_client");
    ++free_ones;
    reply = server.request_token(wrong);
  }
  CHECK(free_ones == 5);
  for (int i = 0; i < 3; ++i) {
    const Reply slowed = server.request_token(wrong);
    check_error(slowed, 429, "E429", "Too Many Requests");
    const int wait = std::stoi(slowed.header("retry-after"));
    CHECK(wait >= 1);
    CHECK(wait <= 60);
  }
  // From the same address, in the middle of the wait.
  CHECK(server.request_token(account).status == 200);
  CHECK(server.request_token(other).status == 200);
  check_oauth_error(server.request_token({"other", "wrong"}), 401, "invalid_client");
}

TEST_CASE("the right secret makes up for the wrong ones before it") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 4; ++i) check_oauth_error(server.request_token({"payments", "wrong"}), 401, "invalid_client");
    CHECK(server.request_token(account).status == 200);
  }
}

TEST_CASE("the longer somebody guesses, the longer the wait") {
  const ServerFixture server;
  const Account wrong{"nobody", "wrong"};
  std::vector<int> waits;
  for (int i = 0; i < 100 && waits.size() < 3; ++i) {
    const Reply reply = server.request_token(wrong);
    if (reply.status != 429) continue;
    waits.push_back(std::stoi(reply.header("retry-after")));
    std::this_thread::sleep_for(std::chrono::milliseconds(1000 * waits.back() + 100));
  }
  CHECK(waits == std::vector<int>{1, 2, 4});
}

TEST_CASE("a stranger who floods the endpoint locks nobody out") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  std::atomic<bool> stop = false;
  std::atomic<int> slowed = 0;
  std::vector<std::thread> strangers;
  for (int t = 0; t < 4; ++t) {
    strangers.emplace_back([&, t] {
      for (int i = 0; !stop; ++i) {
        // The account itself, and ids that are made up.
        const std::string id = i % 2 == 0 ? "payments" : "made-up-" + std::to_string(t) + "-" + std::to_string(i);
        if (server.request_token({id, "wrong"}).status == 429) ++slowed;
      }
    });
  }
  for (int i = 0; i < 600 && slowed < 100; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::vector<int> statuses;
  for (int i = 0; i < 20; ++i) statuses.push_back(server.request_token(account).status);
  stop = true;
  for (std::thread& stranger : strangers) stranger.join();
  CHECK(slowed >= 100);
  CHECK(statuses == std::vector<int>(20, 200));
}

TEST_CASE("neither secrets, right or wrong, nor tokens are ever in the log") {
  ServerFixture server({.settings = {{"log.level", "\"debug\""}}, .environment = {}});
  const Account account = server.create_account("payments", {"reader=*"});
  const std::string basic_value = base64(account.client_id + ":" + account.client_secret);
  const std::string token = server.access_token(account);
  ask(server, {{"grant_type", "client_credentials"}}, "Basic " + basic_value);
  server.request_token({"payments", "a-wrong-secret-of-someone"});
  ask(server, {{"grant_type", "client_credentials"}}, basic("payments", "a-wrong-secret-of-someone"));
  call(server, token, "GET", "/certificates");
  call(server, token + "x", "GET", "/certificates");
  with_authorization(server, "Bearer a-token-of-someone");
  with_authorization(server, "Basic " + basic_value);
  const Reply rotated = call(server, token, "POST", "/accounts/self:rotate");
  REQUIRE(rotated.status == 201);
  call(server, token, "GET", "/certificates");
  CHECK(server.stop(SIGTERM) == 0);
  const std::string log = server.output();
  CHECK(holds(log, "wrong secret"));  // it is the log of all this
  for (const std::string& secret : {account.client_secret, rotated.json()["client_secret"].text(), basic_value, token,
                                    token.substr(token.rfind('.') + 1), std::string("a-wrong-secret-of-someone"),
                                    std::string("a-token-of-someone"), base64("payments:a-wrong-secret-of-someone")}) {
    CHECK_MESSAGE(!holds(log, secret), secret);
  }
}
