// The rows of section 5 that need no account, each over real HTTP and compared whole.
#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "system/server.h"

using namespace system_test;

namespace {

const std::string kJson = "application/json";
const std::string kNoSuchId = "00000000-0000-4000-8000-000000000000";

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

// Waits for the server to undo, behind the caller's back, what came too late.
bool comes_to(const ServerFixture& server, std::size_t keys, std::chrono::seconds within) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (server.keys() != keys) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return true;
}

}  // namespace

TEST_CASE("each error that a request can cause") {
  const ServerFixture server;
  const std::string good = certificate("good").json();
  server.must_generate(certificate("taken"));

  struct Row {
    const char* name;
    Request request;
    int status;
    std::string code;
    std::string message;
  };
  using Headers = std::multimap<std::string, std::string>;
  const Headers json = {{"Content-Type", kJson}};
  const auto accept = [](const std::string& value) { return Headers{{"Content-Type", kJson}, {"Accept", value}}; };
  const std::string input = "Input Format Mismatch: input-format=json";
  const std::string output = "Output Format Mismatch: output-format=json Accept=";
  const Row rows[] = {
      {"XML in", {"POST", "/certificates", {{"Content-Type", "application/xml"}}, "<a/>"}, 400, "E003", input},
      {"form in",
       {"POST", "/certificates", {{"Content-Type", "application/x-www-form-urlencoded"}}, good},
       400,
       "E003",
       input},
      {"text in", {"POST", "/certificates", {{"Content-Type", "text/json-not"}}, good}, 400, "E003", input},
      {"XML out", {"POST", "/certificates", accept("application/xml"), good}, 400, "E003", output + "xml"},
      {"XML out of a GET", {"GET", "/certificates", {{"Accept", "application/xml"}}, ""}, 400, "E003", output + "xml"},
      {"HTML out of a GET", {"GET", "/certificates", {{"Accept", "text/html"}}, ""}, 400, "E003", output + "html"},
      {"JSON of quality nought",
       {"GET", "/certificates", {{"Accept", "text/csv, application/json;q=0"}}, ""},
       400,
       "E003",
       output + "csv"},
      {"name alone", {"GET", "/certificates?name=x", {}, ""}, 400, "E003", "Missing Query Parameter: folder"},
      {"unknown parameter",
       {"GET", "/certificates?location=invalid", {}, ""},
       400,
       "E003",
       "Invalid Query Parameter: location=invalid"},
      {"unknown parameter of POST",
       {"POST", "/certificates?location=invalid", json, good},
       400,
       "E003",
       "Invalid Query Parameter: location=invalid"},
      {"unknown parameter of an id",
       {"GET", "/certificates/" + kNoSuchId + "?x=y", {}, ""},
       400,
       "E003",
       "Invalid Query Parameter: x=y"},
      {"no body", {"POST", "/certificates", json, ""}, 400, "E003", "Missing Body"},
      {"empty object", {"POST", "/certificates", json, "{}"}, 400, "E003", "Invalid Object"},
      {"an array", {"POST", "/certificates", json, "[]"}, 400, "E003", "Invalid Object"},
      {"not JSON", {"POST", "/certificates", json, "{"}, 400, "E003", "Malformed Command"},
      {"not JSON at all", {"POST", "/certificates", json, "hello"}, 400, "E003", "Malformed Command"},
      {"two values", {"POST", "/certificates", json, "{} {}"}, 400, "E003", "Malformed Command"},
      {"a comment", {"POST", "/certificates", json, "{/* */}"}, 400, "E003", "Malformed Command"},
      {"too deep", {"POST", "/certificates", json, nested(10000)}, 400, "E003", "Malformed Command"},
      {"far too deep", {"POST", "/certificates", json, nested(400000)}, 400, "E003", "Malformed Command"},
      {"not UTF-8",
       {"POST", "/certificates", json, "{\"common_name\":\"\xff\xfe\"}"},
       400,
       "E003",
       "Malformed Command"},
      {"overlong UTF-8",
       {"POST", "/certificates", json, "{\"common_name\":\"\xc0\xaf\"}"},
       400,
       "E003",
       "Malformed Command"},
      {"lone surrogate",
       {"POST", "/certificates", json, R"({"common_name":"\ud800"})"},
       400,
       "E003",
       "Malformed Command"},
      {"duplicate keys",
       {"POST", "/certificates", json, R"({"digest":"sha256","digest":"md5"})"},
       400,
       "E003",
       "Malformed Command"},
      {"duplicate keys below",
       {"POST", "/certificates", json, R"({"algorithm":{"rsa_number_of_bits":2048,"rsa_number_of_bits":512}})"},
       400,
       "E003",
       "Malformed Command"},
      {"duplicate keys, one escaped",
       {"POST", "/certificates", json, R"({"digest":"sha256","\u0064igest":"md5"})"},
       400,
       "E003",
       "Malformed Command"},
      {"body over 1 MiB",
       {"POST", "/certificates", json, "{\"x\":\"" + std::string(1 << 20, 'x') + "\"}"},
       400,
       "E003",
       "Malformed Command"},
      {"broken percent-encoding in the query",
       {"GET", "/certificates?folder=%zz", {}, ""},
       400,
       "E003",
       "Malformed Command"},
      {"cut percent-encoding in the query",
       {"GET", "/certificates?folder=a%2", {}, ""},
       400,
       "E003",
       "Malformed Command"},
      {"broken percent-encoding in the path", {"GET", "/certificates/%g1", {}, ""}, 400, "E003", "Malformed Command"},
      {"no resource", {"GET", "/nothing", {}, ""}, 400, "E013", "Bad XPath"},
      {"POST to no resource", {"POST", "/nothing", json, good}, 400, "E013", "Bad XPath"},
      {"an id that is no UUID", {"GET", "/certificates/not-a-uuid", {}, ""}, 400, "E013", "Bad XPath"},
      {"an id that is not there", {"GET", "/certificates/" + kNoSuchId, {}, ""}, 404, "E005", "Object Not Present"},
      {"a name taken", {"POST", "/certificates", json, certificate("taken").json()}, 409, "E006", "Name Not Unique"},
      {"unknown action", {"POST", "/certificates:move", json, "{}"}, 405, "E012", "Action Not Supported: move"},
      {"unknown action on an id",
       {"POST", "/certificates/" + kNoSuchId + ":rename", json, "{}"},
       405,
       "E012",
       "Action Not Supported: rename"},
      {"an action of a later step",
       {"POST", "/certificates/" + kNoSuchId + ":renew", json, "{}"},
       405,
       "E012",
       "Action Not Supported: renew"},
      {"PUT on the collection", {"PUT", "/certificates", json, good}, 501, "E012", "Method Not Supported"},
      {"PATCH on an id", {"PATCH", "/certificates/" + kNoSuchId, json, good}, 501, "E012", "Method Not Supported"},
      {"POST on an id", {"POST", "/certificates/" + kNoSuchId, json, good}, 501, "E012", "Method Not Supported"},
      {"DELETE on the collection", {"DELETE", "/certificates", {}, ""}, 501, "E012", "Method Not Supported"},
      {"OPTIONS", {"OPTIONS", "/certificates", {}, ""}, 501, "E012", "Method Not Supported"},
      {"version 2", {"GET", "/config/identity/v2/certificates", {}, ""}, 501, "E012", "Version Not Supported"},
      {"version 9", {"GET", "/sse/config/v9/certificates", {}, ""}, 501, "E012", "Version Not Supported"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    check_error(server.send(row.request), row.status, row.code, row.message);
  }
  CHECK(server.keys() == 1);
  CHECK(server.rows() == 1);
}

TEST_CASE("what is no fault: JSON by its other names, and parameters of content types") {
  const ServerFixture server;
  int number = 0;
  for (const char* type : {"application/json", "application/json; charset=utf-8", "APPLICATION/JSON"}) {
    CAPTURE(type);
    const Reply reply = server.send(
        {"POST", "/certificates", {{"Content-Type", type}}, certificate("t" + std::to_string(++number)).json()});
    CHECK_MESSAGE(reply.status == 201, reply.body);
    CHECK_FALSE(reply.header("x-request-id").empty());
  }
  for (const char* accept : {"*/*", "application/*", "application/json", "text/html, */*;q=0.1",
                             "application/xml, application/json;q=0.5"}) {
    CAPTURE(accept);
    CHECK(server.send({"GET", "/certificates", {{"Accept", accept}}, ""}).status == 200);
  }
}

TEST_CASE("octets that are no HTTP are answered with an error of ours or with nothing") {
  const ServerFixture server;
  const std::string host = "Host: 127.0.0.1\r\nConnection: close\r\n" + server.authorization_line() + "\r\n";
  struct Row {
    const char* name;
    std::string octets;
  };
  const Row rows[] = {
      {"unknown method", "BREW /certificates HTTP/1.1\r\n" + host + "\r\n"},
      {"no version", "GET /certificates\r\n\r\n"},
      {"a header of a megabyte",
       "GET /certificates HTTP/1.1\r\n" + host + "X: " + std::string(1 << 20, 'x') + "\r\n\r\n"},
      {"a target of a megabyte", "GET /" + std::string(1 << 20, 'x') + " HTTP/1.1\r\n" + host + "\r\n"},
      {"noise", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + "\r\n\r\n"},
      {"length and chunks",
       "POST /certificates HTTP/1.1\r\n" + host +
           "Content-Type: application/json\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
           "2\r\n{}\r\n0\r\n\r\n"},
      {"a length that is no number",
       "POST /certificates HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nContent-Length: two\r\n\r\n{}"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const std::string answer = exchange_raw(server.port(), row.octets);
    INFO("answer: " << answer.substr(0, 400));
    if (!answer.empty()) {
      CHECK((answer.find("HTTP/1.1 4") == 0 || answer.find("HTTP/1.1 5") == 0));
      CHECK(answer.find("application/json") != std::string::npos);
      CHECK(answer.find("\"_errors\"") != std::string::npos);
    }
    CHECK(server.get("/certificates").status == 200);  // it lives on
  }
}

TEST_CASE("a chunked body has the same limit") {
  const ServerFixture server;
  std::string octets = "POST /certificates HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" +
                       server.authorization_line() +
                       "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
  for (int i = 0; i < 40; ++i) octets += chunk;  // 2.5 MiB
  octets += "0\r\n\r\n";
  const std::string answer = exchange_raw(server.port(), octets);
  INFO("answer: " << answer.substr(0, 400));
  CHECK((answer.empty() || answer.find("Malformed Command") != std::string::npos));
  CHECK(server.get("/certificates").status == 200);
}

TEST_CASE("session_timeout: the token does not answer in time, and nothing stays of the request") {
  ServerOptions options;
  options.faults = true;
  options.settings = {{"server.request_timeout_ms", "700"}};
  const ServerFixture server(options);
  server.plan("C_GenerateKeyPair delay_ms=3000 times=1\n");
  const auto begin = std::chrono::steady_clock::now();
  const Reply reply = server.generate(certificate("late"));
  const auto took = std::chrono::steady_clock::now() - begin;
  check_error(reply, 504, "4", "Session Timeout");
  CHECK(took > std::chrono::milliseconds(600));
  CHECK(took < std::chrono::milliseconds(2800));
  CHECK(server.rows() == 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(3000));  // the late key is made only now
  CHECK(comes_to(server, 0, std::chrono::seconds(10)));
  server.plan("");
  const Reply again = server.generate(certificate("late"));  // the name is free
  CHECK_MESSAGE(again.status == 201, again.body);
}

TEST_CASE("session_timeout: a signature that comes too late leaves no key") {
  ServerOptions options;
  options.faults = true;
  options.settings = {{"server.request_timeout_ms", "700"}};
  const ServerFixture server(options);
  server.plan("C_Sign delay_ms=2500 times=1\n");
  check_error(server.generate(certificate("late")), 504, "4", "Session Timeout");
  CHECK(server.rows() == 0);
  CHECK(comes_to(server, 0, std::chrono::seconds(15)));
}

TEST_CASE("token_unavailable: the token is gone") {
  ServerOptions options;
  options.faults = true;
  const ServerFixture server(options);
  server.plan("C_GenerateKeyPair rv=CKR_DEVICE_REMOVED\n");
  check_error(server.generate(certificate("x")), 503, "E503", "Token Unavailable");
  CHECK(server.rows() == 0);
  CHECK(server.get("/certificates").status == 200);  // what needs no token goes on
  server.plan("");
  Reply reply;
  for (int attempt = 0; attempt < 20 && reply.status != 201; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(std::chrono::milliseconds(500));
    reply = server.generate(certificate("x"));
  }
  CHECK_MESSAGE(reply.status == 201, reply.body);
}

TEST_CASE("too_many_requests: the queue before the token is full") {
  ServerOptions options;
  options.faults = true;
  options.settings = {{"token.sessions", "1"}, {"token.parallel_generations", "1"}, {"token.queue_limit", "1"}};
  const ServerFixture server(options);
  server.plan("C_GenerateKeyPair delay_ms=800\n");
  std::vector<Reply> replies(12);
  {
    std::vector<std::jthread> clients;
    for (std::size_t i = 0; i < replies.size(); ++i) {
      clients.emplace_back([&, i] { replies[i] = server.generate(certificate("c" + std::to_string(i))); });
    }
  }
  std::size_t made = 0;
  std::size_t refused = 0;
  for (const Reply& reply : replies) {
    if (reply.status == 201) {
      ++made;
    } else {
      ++refused;
      check_error(reply, 429, "E429", "Too Many Requests");
    }
  }
  CHECK(made >= 1);
  CHECK(refused >= 1);
  server.plan("");
  CHECK(server.rows() == made);
  CHECK(comes_to(server, made, std::chrono::seconds(10)));
}
