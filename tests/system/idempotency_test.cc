// Idempotency-Key (HTTP contract, section 4): a request that is sent again is answered again and not done again, so
// that nobody loses a key in the token, or a secret, to a retry.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>
#include <set>
#include <thread>

#include "system/account_calls.h"
#include "system/files.h"

using namespace system_test;

namespace {

const std::string kKey = "8e03978e-40d5-43dd-bc93-6894a57f9324";

Request keyed(const std::string& key, const std::string& target, const std::string& body,
              const std::string& bearer_token = "") {
  Request request{"POST", target, {{"Idempotency-Key", key}}, body};
  if (!body.empty()) request.headers.emplace("Content-Type", "application/json");
  if (!bearer_token.empty()) request.headers.emplace("Authorization", "Bearer " + bearer_token);
  return request;
}

Reply send_keyed(const ServerFixture& server, const std::string& key, const std::string& target,
                 const std::string& body, const std::string& bearer_token = "") {
  return server.send(keyed(key, target, body, bearer_token));
}

void check_same(const Reply& again, const Reply& first) {
  CHECK(again.status == first.status);
  CHECK(again.body == first.body);
  CHECK(again.header("location") == first.header("location"));
  CHECK(again.header("content-type") == first.header("content-type"));
  CHECK(first.header("idempotency-replayed") == "");
  CHECK(again.header("idempotency-replayed") == "true");
  CHECK(again.header("x-request-id") != first.header("x-request-id"));
}

void check_other_request(const Reply& reply) {
  const auto sentences = check_error(reply, 409, "E016", "Object Not Unique");
  CHECK(names_field(sentences, "Idempotency-Key"));
}

std::size_t answers(const ServerFixture& server) {
  return static_cast<std::size_t>(std::stoul(sqlite(server, "SELECT count(*) FROM answer")));
}

// Key pairs that the token was asked for.
std::size_t generations(const ServerFixture& server) { return server.faults().calls("C_GenerateKeyPair"); }

void wait_for_a_generation(const ServerFixture& server, std::size_t before) {
  for (int i = 0; i < 2000 && generations(server) == before; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  REQUIRE(generations(server) > before);
}

}  // namespace

TEST_CASE("the same request under the same key is answered once more, word for word, and makes no second key") {
  const ServerFixture server;
  const std::string body = certificate("x").json();
  const Reply first = send_keyed(server, kKey, "/certificates", body);
  REQUIRE_MESSAGE(first.status == 201, first.body);
  CHECK(first.header("location") == "/certificates/" + first.json()["id"].text());
  for (int i = 0; i < 3; ++i) check_same(send_keyed(server, kKey, "/certificates", body), first);
  CHECK(server.keys() == 1);
  CHECK(server.rows() == 1);
  CHECK(answers(server) == 1);
  CHECK(server.get("/certificates/" + first.json()["id"].text()).status == 200);
}

TEST_CASE("without the header, and under another key, a request is a request of its own") {
  const ServerFixture server;
  const std::string body = certificate("x").json();
  REQUIRE(send_keyed(server, kKey, "/certificates", body).status == 201);
  check_error(server.post("/certificates", body), 409, "E006", "Name Not Unique");
  check_error(send_keyed(server, kKey + "1", "/certificates", body), 409, "E006", "Name Not Unique");
  CHECK(send_keyed(server, kKey + "2", "/certificates", certificate("y").json()).status == 201);
  CHECK(server.keys() == 2);
  // Keys are told apart by case.
  CHECK(send_keyed(server, "8E03978E-40D5-43DD-BC93-6894A57F9324", "/certificates", certificate("z").json()).status ==
        201);
}

TEST_CASE("another body, path or query under the same key is Object Not Unique and makes nothing") {
  const ServerFixture server;
  const std::string body = certificate("x").json();
  const Reply first = send_keyed(server, kKey, "/certificates", body);
  REQUIRE(first.status == 201);
  check_other_request(send_keyed(server, kKey, "/certificates", certificate("y").json()));
  check_other_request(send_keyed(server, kKey, "/certificates", certificate("x").text("state", "Y").json()));
  check_other_request(send_keyed(server, kKey, "/certificates:import", body));
  check_other_request(send_keyed(server, kKey, "/accounts", R"({"grants":[{"role":"reader","container":"*"}]})"));
  check_other_request(send_keyed(server, kKey, "/accounts/tester:rotate", ""));
  check_other_request(send_keyed(server, kKey, "/certificates?folder=Shared", body));
  // Not even a body that would be refused.
  check_other_request(send_keyed(server, kKey, "/certificates", "{}"));
  CHECK(server.keys() == 1);
  CHECK(server.rows() == 1);
  CHECK(server.get("/accounts").json()["total"].integer() == 1);
  check_same(send_keyed(server, kKey, "/certificates", body), first);
}

TEST_CASE("the three prefixes are one API to the key as well") {
  const ServerFixture server;
  const std::string body = certificate("x").json();
  const Reply first = send_keyed(server, kKey, "/config/identity/v1/certificates", body);
  REQUIRE(first.status == 201);
  check_same(send_keyed(server, kKey, "/sse/config/v1/certificates", body), first);
  CHECK(server.keys() == 1);
}

TEST_CASE("the same request eight times at once makes one certificate and has eight equal answers") {
  const ServerFixture server({.settings = {}, .environment = {}, .faults = true});
  const std::size_t before = generations(server);
  server.plan("C_GenerateKeyPair delay_ms=700\n");
  const std::string body = certificate("x").json();
  std::vector<std::future<Reply>> replies;
  for (int i = 0; i < 8; ++i) {
    replies.push_back(std::async(std::launch::async, [&] { return send_keyed(server, kKey, "/certificates", body); }));
  }
  std::set<std::string> bodies;
  int firsts = 0;
  for (auto& future : replies) {
    const Reply reply = future.get();
    CHECK(reply.status == 201);
    bodies.insert(reply.body + reply.header("location"));
    if (reply.header("idempotency-replayed").empty()) ++firsts;
  }
  CHECK(bodies.size() == 1);
  CHECK(firsts == 1);
  CHECK(generations(server) == before + 1);
  CHECK(server.keys() == 1);
  CHECK(server.rows() == 1);
}

TEST_CASE("another request under the key of one that is still under way waits for it, and is then refused") {
  const ServerFixture server({.settings = {}, .environment = {}, .faults = true});
  const std::size_t before = generations(server);
  server.plan("C_GenerateKeyPair delay_ms=1000\n");
  auto first = std::async(std::launch::async,
                          [&] { return send_keyed(server, kKey, "/certificates", certificate("x").json()); });
  wait_for_a_generation(server, before);
  check_other_request(send_keyed(server, kKey, "/certificates", certificate("y").json()));
  CHECK(first.get().status == 201);
  CHECK(server.keys() == 1);
}

TEST_CASE("when the first fails, one of those that waited is done in its place") {
  const ServerFixture server({.settings = {}, .environment = {}, .faults = true});
  const std::size_t before = generations(server);
  server.plan("C_GenerateKeyPair delay_ms=500 rv=CKR_DEVICE_MEMORY times=1\n");
  const std::string body = certificate("x").json();
  std::vector<std::future<Reply>> replies;
  for (int i = 0; i < 4; ++i) {
    replies.push_back(std::async(std::launch::async, [&] { return send_keyed(server, kKey, "/certificates", body); }));
  }
  std::multiset<int> statuses;
  std::set<std::string> made;
  for (auto& future : replies) {
    const Reply reply = future.get();
    statuses.insert(reply.status);
    if (reply.status == 201) made.insert(reply.body);
  }
  CHECK(statuses.count(201) == 3);
  CHECK(generations(server) == before + 2);
  CHECK(made.size() == 1);
  CHECK(server.keys() == 1);
  CHECK(server.rows() == 1);
}

TEST_CASE("the answer is there after a restart, and after SIGKILL") {
  ServerFixture server;
  const std::string body = certificate("x").json();
  const Reply first = send_keyed(server, kKey, "/certificates", body);
  REQUIRE(first.status == 201);
  CHECK(server.stop(SIGTERM) == 0);
  server.start();
  check_same(send_keyed(server, kKey, "/certificates", body), first);
  server.kill();
  server.start();
  check_same(send_keyed(server, kKey, "/certificates", body), first);
  check_other_request(send_keyed(server, kKey, "/certificates", certificate("y").json()));
  CHECK(server.keys() == 1);
  CHECK(server.rows() == 1);
}

TEST_CASE("a request that SIGKILL ended is done when it comes again, once") {
  ServerFixture server({.settings = {}, .environment = {}, .faults = true});
  const std::size_t before = generations(server);
  server.plan("C_GenerateKeyPair delay_ms=5000\n");
  const std::string body = certificate("x").json();
  Request request = keyed(kKey, "/certificates", body);
  request.direct = true;  // a proxy would answer for the server that is gone
  auto lost = std::async(std::launch::async, [&] { return server.send(request); });
  wait_for_a_generation(server, before);
  server.kill();
  CHECK(lost.get().status == 0);
  server.plan("");
  server.start();
  const Reply first = send_keyed(server, kKey, "/certificates", body);
  REQUIRE_MESSAGE(first.status == 201, first.body);
  check_same(send_keyed(server, kKey, "/certificates", body), first);
  CHECK(server.keys() == 1);
  CHECK(server.rows() == 1);
}

TEST_CASE("who did not stay for the answer has it when it asks again") {
  const ServerFixture server({.settings = {}, .environment = {}, .faults = true});
  const std::size_t before = generations(server);
  server.plan("C_GenerateKeyPair delay_ms=300\n");
  const std::string body = certificate("x").json();
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(server.port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const std::string request = "POST /certificates HTTP/1.1\r\nHost: x\r\n" + server.authorization_line() +
                              "\r\nContent-Type: application/json\r\nIdempotency-Key: " + kKey +
                              "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  REQUIRE(::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
  wait_for_a_generation(server, before);
  ::close(fd);
  const Reply reply = send_keyed(server, kKey, "/certificates", body);
  CHECK_MESSAGE(reply.status == 201, reply.body);
  CHECK(server.keys() == 1);
  CHECK(server.rows() == 1);
}

TEST_CASE("a request that failed does not use up its key") {
  const ServerFixture server({.settings = {}, .environment = {}, .faults = true});
  const std::string body = certificate("x").json();
  check_invalid_object(send_keyed(server, kKey, "/certificates", certificate("x").text("digest", "crc32").json()));
  check_error(send_keyed(server, kKey, "/certificates", "{"), 400, "E003", "Malformed Command");
  check_error(send_keyed(server, kKey, "/certificates", ""), 400, "E003", "Missing Body");
  server.must_generate(certificate("taken"));
  check_error(send_keyed(server, kKey, "/certificates", certificate("taken").json()), 409, "E006", "Name Not Unique");
  server.plan("C_GenerateKeyPair rv=CKR_DEVICE_MEMORY\n");
  CHECK(send_keyed(server, kKey, "/certificates", body).status >= 500);
  server.plan("");
  CHECK(answers(server) == 0);
  const Reply first = send_keyed(server, kKey, "/certificates", body);
  REQUIRE_MESSAGE(first.status == 201, first.body);
  check_same(send_keyed(server, kKey, "/certificates", body), first);
  CHECK(server.keys() == 2);
}

TEST_CASE("the same key of another account is another key") {
  const ServerFixture server;
  const std::string body = certificate("x").json();
  const Reply first = send_keyed(server, kKey, "/certificates", body);
  REQUIRE(first.status == 201);
  const std::string other = server.access_token(server.create_account("other", {"issuer=*"}));
  check_error(send_keyed(server, kKey, "/certificates", body, other), 409, "E006", "Name Not Unique");
  const Reply own = send_keyed(server, kKey, "/certificates", certificate("y").json(), other);
  CHECK(own.status == 201);
  check_same(send_keyed(server, kKey, "/certificates", certificate("y").json(), other), own);
  check_same(send_keyed(server, kKey, "/certificates", body), first);
  // Nor is one account's answer another's: this one may not even issue.
  const std::string reader = server.access_token(server.create_account("reader", {"reader=*"}));
  check_error(send_keyed(server, kKey, "/certificates", body, reader), 403, "E007", "Unauthorized");
}

TEST_CASE("a key that is none is refused by the header's name, and nothing is made") {
  const ServerFixture server;
  const std::string body = certificate("x").json();
  for (const std::string& key : std::vector<std::string>{"", std::string(256, 'a'), "a b", "sch\xc3\xb6n", "\xff"}) {
    CAPTURE(key);
    CHECK(names_field(check_invalid_object(send_keyed(server, key, "/certificates", body)), "Idempotency-Key"));
  }
  const auto raw = [&](const std::string& lines) {
    return exchange_raw(server.port(), "POST /certificates HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
                                           server.authorization_line() + "\r\nContent-Type: application/json\r\n" +
                                           lines + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                                           body);
  };
  for (const char* lines : {"Idempotency-Key: a\tb\r\n", "Idempotency-Key: a\x01z\r\n", "Idempotency-Key:\r\n",
                            "Idempotency-Key: one\r\nIdempotency-Key: two\r\n"}) {
    CAPTURE(lines);
    const std::string answer = raw(lines);
    CHECK_MESSAGE(answer.starts_with("HTTP/1.1 400 "), answer);
  }
  CHECK(server.keys() == 0);
  CHECK(server.rows() == 0);
  for (const std::string& key : {std::string("a"), std::string(255, 'a'), std::string("!\"#{}~")}) {
    const Reply reply = send_keyed(server, key, "/certificates", certificate("n" + std::to_string(key.size())).json());
    CHECK_MESSAGE(reply.status == 201, reply.body);
  }
}

TEST_CASE("an import under a key is done once") {
  const ServerFixture server;
  const std::string key = new_key("P-256");
  const std::string body = import_body("x", "pem", self_signed(key, "x"), key).json();
  const Reply first = send_keyed(server, kKey, "/certificates:import", body);
  REQUIRE_MESSAGE(first.status == 201, first.body);
  check_same(send_keyed(server, kKey, "/certificates:import", body), first);
  CHECK(server.keys() == 1);
  CHECK(server.rows() == 1);
  check_other_request(
      send_keyed(server, kKey, "/certificates:import", import_body("y", "pem", self_signed(key, "x"), key).json()));
}

TEST_CASE("a signing request under a key is made once, and so is its completion") {
  const ServerFixture server;
  const std::string body = certificate("x").text("signed_by", "external").json();
  const Reply first = send_keyed(server, kKey, "/certificates", body);
  REQUIRE_MESSAGE(first.status == 201, first.body);
  check_same(send_keyed(server, kKey, "/certificates", body), first);
  CHECK(server.keys() == 1);

  const std::string authority_key = new_key("P-256");
  const std::string signed_one = sign_request(must_export(server, first.json(), "pkcs10"),
                                              self_signed(authority_key, "root", true), authority_key, "");
  const std::string completion = import_body("x", "pem", signed_one).json();
  const Reply completed = send_keyed(server, kKey + "-2", "/certificates:import", completion);
  REQUIRE_MESSAGE(completed.status == 201, completed.body);
  check_same(send_keyed(server, kKey + "-2", "/certificates:import", completion), completed);
  CHECK(server.rows() == 1);
}

TEST_CASE("an account under a key is made once, and its secret is not lost with the first answer") {
  const ServerFixture server;
  const std::string body = R"({"description":"no id chosen","grants":[{"role":"reader","container":"*"}]})";
  const Reply first = send_keyed(server, kKey, "/accounts", body);
  REQUIRE_MESSAGE(first.status == 201, first.body);
  check_same(send_keyed(server, kKey, "/accounts", body), first);
  CHECK(server.get("/accounts").json()["total"].integer() == 2);
  CHECK(server.request_token({first.json()["client_id"].text(), first.json()["client_secret"].text()}).status == 200);
}

TEST_CASE("a rotation under a key is done once, by an administrator and by the holder") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"reader=*"});
  SUBCASE("by an administrator") {
    const Reply first = send_keyed(server, kKey, "/accounts/payments:rotate", "");
    REQUIRE_MESSAGE(first.status == 201, first.body);
    check_same(send_keyed(server, kKey, "/accounts/payments:rotate", ""), first);
    CHECK(server.request_token({"payments", first.json()["client_secret"].text()}).status == 200);
    check_other_request(send_keyed(server, kKey, "/accounts/tester:rotate", ""));
  }
  SUBCASE("by its holder, who comes back with the old secret in its grace time") {
    const Reply first = send_keyed(server, kKey, "/accounts/self:rotate", "", server.access_token(account));
    REQUIRE_MESSAGE(first.status == 201, first.body);
    const Reply again = send_keyed(server, kKey, "/accounts/self:rotate", "", server.access_token(account));
    check_same(again, first);
    CHECK(server.request_token({"payments", again.json()["client_secret"].text()}).status == 200);
  }
}

TEST_CASE("what is answered with a secret wants a key of sixteen characters that nobody guesses") {
  const ServerFixture server;
  const std::string short_key(15, 'k');
  const std::string body = R"({"grants":[{"role":"reader","container":"*"}]})";
  server.create_account("payments", {"reader=*"});
  const std::pair<const char*, std::string> rows[] = {
      {"/accounts", body}, {"/accounts/payments:rotate", ""}, {"/accounts/self:rotate", ""}};
  for (const auto& row : rows) {
    const std::string target = row.first;
    const std::string& sent = row.second;
    CAPTURE(target);
    CHECK(names_field(check_invalid_object(send_keyed(server, short_key, target, sent)), "Idempotency-Key"));
  }
  CHECK(server.get("/accounts").json()["total"].integer() == 2);
  CHECK(send_keyed(server, std::string(16, 'k'), "/accounts", body).status == 201);
}

TEST_CASE("neither the kept answers nor their keys can be read in the store or the log") {
  ServerFixture server({.settings = {{"log.level", "\"debug\""}}, .environment = {}});
  const std::string body = R"({"client_id":"payments","grants":[{"role":"reader","container":"*"}]})";
  const Reply made = send_keyed(server, kKey, "/accounts", body);
  REQUIRE(made.status == 201);
  const Reply rotated = send_keyed(server, kKey + "-2", "/accounts/payments:rotate", "");
  REQUIRE(rotated.status == 201);
  check_same(send_keyed(server, kKey, "/accounts", body), made);
  REQUIRE(answers(server) == 2);
  for (int round = 0; round < 2; ++round) {
    const std::string disk = store_on_disk(server);
    CHECK(holds(disk, "payments"));  // it is the store
    for (const Reply& reply : {made, rotated}) {
      const std::string secret = reply.json()["client_secret"].text();
      CHECK_FALSE(holds(disk, secret));
      CHECK_FALSE(holds(disk, base64(reply.body).substr(0, 40)));
      CHECK_FALSE(holds(server.output(), secret));
    }
    CHECK_FALSE(holds(disk, kKey));
    CHECK_FALSE(holds(disk, "client_secret"));
    CHECK_FALSE(holds(server.output(), kKey));
    if (round == 0) CHECK(server.stop(SIGTERM) == 0);
  }
}

TEST_CASE("an answer is kept for a day, and after it the key is as good as new") {
  const ServerFixture server;
  const std::string body = certificate("x").json();
  const Reply first = send_keyed(server, kKey, "/certificates", body);
  REQUIRE(first.status == 201);
  sqlite(server, "UPDATE answer SET created_at = created_at - 86300");
  check_same(send_keyed(server, kKey, "/certificates", body), first);
  check_other_request(send_keyed(server, kKey, "/certificates", certificate("y").json()));

  sqlite(server, "UPDATE answer SET created_at = created_at - 200");
  check_error(send_keyed(server, kKey, "/certificates", body), 409, "E006", "Name Not Unique");
  const Reply anew = send_keyed(server, kKey, "/certificates", certificate("y").json());
  REQUIRE_MESSAGE(anew.status == 201, anew.body);
  CHECK(anew.header("idempotency-replayed") == "");
  check_same(send_keyed(server, kKey, "/certificates", certificate("y").json()), anew);
  CHECK(server.keys() == 2);
  CHECK(answers(server) == 1);
}

TEST_CASE("a secret's answer of more than a day ago can be replaced by another's") {
  const ServerFixture server;
  server.create_account("payments", {"reader=*"});
  const Reply first = send_keyed(server, kKey, "/accounts/payments:rotate", "");
  REQUIRE(first.status == 201);
  sqlite(server, "UPDATE answer SET created_at = created_at - 86401");
  const Reply second = send_keyed(server, kKey, "/accounts/payments:rotate", "");
  REQUIRE_MESSAGE(second.status == 201, second.body);
  CHECK(second.header("idempotency-replayed") == "");
  CHECK(second.json()["client_secret"].text() != first.json()["client_secret"].text());
  check_same(send_keyed(server, kKey, "/accounts/payments:rotate", ""), second);
}

TEST_CASE("answers of more than a day ago are gone from the store after a start") {
  ServerFixture server;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(send_keyed(server, kKey + std::to_string(i), "/certificates", certificate("x" + std::to_string(i)).json())
                .status == 201);
  }
  sqlite(server, "UPDATE answer SET created_at = created_at - 86401");
  CHECK(server.stop(SIGTERM) == 0);
  server.start();
  REQUIRE(send_keyed(server, kKey, "/certificates", certificate("y").json()).status == 201);
  CHECK(answers(server) == 1);
}

TEST_CASE("a repeated request is answered as it was, also when what it made has been deleted since") {
  const ServerFixture server;
  const std::string body = certificate("x").json();
  const Reply first = send_keyed(server, kKey, "/certificates", body);
  REQUIRE(first.status == 201);
  REQUIRE(server.send({"DELETE", first.header("location"), {}, ""}).status == 200);
  check_same(send_keyed(server, kKey, "/certificates", body), first);
  CHECK(server.keys() == 0);
  CHECK(server.rows() == 0);
}

TEST_CASE("a repeated request is still asked who it is from and what it may") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"issuer=*"});
  const std::string token = server.access_token(account);
  const std::string body = certificate("x").json();
  REQUIRE(send_keyed(server, kKey, "/certificates", body, token).status == 201);
  check_error(send_keyed(server, kKey, "/certificates", body, token + "x"), 401, "E016", "Invalid Credential");
  sqlite(server, "UPDATE account SET grants = replace(grants, 'issuer', 'reader') WHERE client_id = 'payments'");
  check_error(send_keyed(server, kKey, "/certificates", body, token), 403, "E007", "Unauthorized");
  REQUIRE(server.command({"account", "disable", "payments"}).exit_code == 0);
  check_error(send_keyed(server, kKey, "/certificates", body, token), 401, "E016", "Invalid Credential");
}
