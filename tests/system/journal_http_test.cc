// The journal as auditors meet it: over HTTP, in checkpoints that openssl verifies, in the live copy; and what it tells
// of the server itself.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "system/account_calls.h"
#include "system/files.h"
#include "system/server.h"

using namespace system_test;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> lines_in_store(const ServerFixture& server, const std::string& where = "1") {
  return lines_of(sqlite(server, "SELECT line FROM event WHERE " + where + " ORDER BY sequence"));
}

std::vector<Json> events_of(const ServerFixture& server, const std::string& kind) {
  std::vector<Json> events;
  for (const std::string& line : lines_in_store(server, "kind = '" + kind + "'")) events.push_back(Json::parse(line));
  return events;
}

std::uint64_t number_in_store(const ServerFixture& server, const std::string& expression) {
  const std::string text = sqlite(server, "SELECT " + expression);
  return text.empty() ? 0 : std::stoull(text);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : ",") + line;
  return text;
}

std::string events_answer(const std::vector<std::string>& lines, int limit, const std::string& next) {
  return R"({"data":[)" + joined(lines) + R"(],"limit":)" + std::to_string(limit) + R"(,"next":)" + next + "}";
}

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(50ms);
  }
  return true;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

// INTEGER of DER (X.690 8.3) from an unsigned one of 32 octets.
std::string der_integer(std::string octets) {
  octets.erase(0, std::min(octets.find_first_not_of('\0'), octets.size() - 1));
  if ((static_cast<unsigned char>(octets.front()) & 0x80) != 0) octets.insert(octets.begin(), '\0');
  return std::string("\x02") + static_cast<char>(octets.size()) + octets;
}

// Whether `openssl dgst` takes the JWS (ES256, RFC 7518 3.4) under this JSON Web Key.
bool openssl_verifies(const std::string& jws, const Json& key) {
  const test_support::TemporaryDirectory directory;
  const std::vector<std::string> parts = split(jws, '.');
  REQUIRE(parts.size() == 3);
  const std::string signature = from_base64(parts[2]);
  REQUIRE(signature.size() == 64);
  const std::string numbers = der_integer(signature.substr(0, 32)) + der_integer(signature.substr(32));
  const auto write = [&](const char* name, const std::string& octets) {
    std::ofstream(directory.file(name), std::ios::binary) << octets;
    return directory.file(name);
  };
  const std::string signature_file =
      write("signature", std::string("\x30") + static_cast<char>(numbers.size()) + numbers);
  const std::string text_file = write("text", parts[0] + "." + parts[1]);
  // SubjectPublicKeyInfo of a P-256 key up to its point (RFC 5480 2).
  static const char kPrefix[] =
      "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
  const std::string key_file = write(
      "key", std::string(kPrefix, sizeof kPrefix - 1) + from_base64(key["x"].text()) + from_base64(key["y"].text()));
  return test_support::run_command({"openssl", "dgst", "-sha256", "-verify", key_file, "-keyform", "DER", "-signature",
                                    signature_file, text_file})
             .exit_code == 0;
}

std::string sha256(const std::string& text) {
  const test_support::TemporaryDirectory directory;
  std::ofstream(directory.file("text"), std::ios::binary) << text;
  return test_support::must_run({"openssl", "dgst", "-sha256", "-r", directory.file("text")}).substr(0, 64);
}

void refuse_events_of_the_server(const ServerFixture& server) {
  sqlite(server,
         "CREATE TRIGGER no_event BEFORE INSERT ON event WHEN NEW.kind LIKE 'server_%' BEGIN "
         "SELECT RAISE(ABORT, 'no'); END");
}

}  // namespace

TEST_CASE("events over HTTP are the lines in the store, octet for octet, in pages that fit together") {
  const ServerFixture server;
  for (int i = 0; i < 5; ++i) server.must_generate(certificate("leaf " + std::to_string(i)));
  const std::vector<std::string> lines = lines_in_store(server);
  REQUIRE(lines.size() >= 10);
  CHECK(server.get("/audit/events").body == events_answer(lines, 200, "null"));
  CHECK(server.get("/audit/events?limit=1000&after=0").body == events_answer(lines, 1000, "null"));

  std::vector<std::string> collected;
  std::string after = "0";
  for (std::size_t pages = 0; after != "null" && pages < 100; ++pages) {
    const Reply page = server.get("/audit/events?limit=3&after=" + after);
    REQUIRE(page.status == 200);
    const Json json = page.json();
    for (const Json& event : json["data"].items()) {
      collected.push_back(lines.at(static_cast<std::size_t>(event["sequence"].integer()) - 1));
    }
    after = json["next"].kind() == Json::Kind::null ? "null" : std::to_string(json["next"].integer());
  }
  CHECK(collected == lines);
  // A page that is just full is the last when nothing follows.
  const std::string size = std::to_string(lines.size());
  CHECK(server.get("/audit/events?limit=" + size).json()["next"].kind() == Json::Kind::null);
  CHECK(server.get("/audit/events?after=" + size).body == events_answer({}, 200, "null"));
  // Directly: JavaScript, in which the contract's proxy is written, has no such number.
  CHECK(server.send({"GET", "/audit/events?after=9223372036854775807", {}, "", true}).body ==
        events_answer({}, 200, "null"));
}

TEST_CASE("every filter of events gives what the store has of it") {
  const ServerFixture server;
  const std::string id = server.must_generate(certificate("one"))["id"].text();
  server.must_generate(certificate("two"));
  server.create_account("somebody", {"reader=*"});
  const auto check = [&](const std::string& query, const std::string& where) {
    CAPTURE(query);
    const std::vector<std::string> expected = lines_in_store(server, where);
    CHECK(!expected.empty());
    CHECK(expected.size() < lines_in_store(server).size());
    CHECK(server.get("/audit/events?" + query).body == events_answer(expected, 200, "null"));
  };
  check("kind=certificate_issued", "kind = 'certificate_issued'");
  check("account=tester", "account = 'tester'");
  check("object=" + id, "object = '" + id + "'");
  check("object=somebody&kind=account_created", "object = 'somebody'");
  // The second page begins where the certificates do.
  const std::string time = Json::parse(lines_in_store(server, "object = '" + id + "'").at(0))["time"].text();
  check("from=" + time, "time >= (SELECT time FROM event WHERE object = '" + id + "')");
  check("until=" + time, "time < (SELECT time FROM event WHERE object = '" + id + "')");
  check("after=2&account=tester", "sequence > 2 AND account = 'tester'");
  CHECK(server.get("/audit/events?from=2099-01-01T00:00:00Z").body == events_answer({}, 200, "null"));
  CHECK(server.get("/audit/events?account=nobody%27--").body == events_answer({}, 200, "null"));
}

TEST_CASE("a parameter that says nothing is refused by its name") {
  const ServerFixture server;
  const std::string long_text(1025, 'a');
  for (const std::string query : {"limit=0",
                                  "limit=1001",
                                  "limit=",
                                  "limit=-1",
                                  "limit=1e2",
                                  "after=-1",
                                  "after=9223372036854775808",
                                  "after=x",
                                  "after=",
                                  "kind=",
                                  "kind=Certificate_issued",
                                  "kind=certificate",
                                  "from=",
                                  "from=yesterday",
                                  "from=2026-02-30T00:00:00Z",
                                  "until=2026-11-24",
                                  "until=1764000000",
                                  "from=2026-11-24T12:00:00.1234Z",
                                  "account=",
                                  "object=",
                                  "offset=1",
                                  "folder=x",
                                  "Kind=server_started"}) {
    CAPTURE(query);
    const auto details =
        check_error(server.get("/audit/events?" + query), 400, "E003", "Invalid Query Parameter: " + query);
    REQUIRE(details.size() == 1);
    CHECK(details[0].starts_with(query.substr(0, query.find('=')) + ": "));
  }
  CHECK(server.get("/audit/events?account=" + long_text).status == 400);
  CHECK(server.get("/audit/events?limit=1&limit=2").status == 400);
  for (const std::string query : {"limit=0", "after=x", "from=2026-11-24T12:00:00Z"}) {
    check_error(server.get("/audit/checkpoints?" + query), 400, "E003", "Invalid Query Parameter: " + query);
  }
  check_error(server.get("/audit/keys?limit=1"), 400, "E003", "Invalid Query Parameter: limit=1");
  check_error(server.post("/audit/events", "{}"), 501, "E012", "Method Not Supported");
}

TEST_CASE("what was put into the store in an event's place is text in the answer, and no part of it") {
  const ServerFixture server;
  server.must_generate(certificate("one"));
  std::vector<std::string> lines = lines_in_store(server);
  sqlite(server, R"(UPDATE event SET line = '"},"injected":{"' WHERE sequence = 3)");
  lines.at(2) = R"({"sequence":3,"changed_line":"\"},\"injected\":{\""})";
  CHECK(server.get("/audit/events").body == events_answer(lines, 200, "null"));
}

TEST_CASE("checkpoints come by themselves and at the end, and openssl verifies them with the keys that are published") {
  ServerFixture server(
      {.settings = {{"audit.checkpoint_events", "3"}, {"audit.checkpoint_seconds", "1"}}, .environment = {}});
  for (int i = 0; i < 7; ++i) server.must_generate(certificate("leaf " + std::to_string(i)));
  REQUIRE(eventually([&] {
    return number_in_store(server, "max(sequence) FROM checkpoint") ==
           number_in_store(server, "max(sequence) FROM event");
  }));
  CHECK(server.stop(SIGTERM) == 0);
  // The end as well: whoever stops it leaves nothing uncovered.
  CHECK(number_in_store(server, "max(sequence) FROM checkpoint") ==
        number_in_store(server, "max(sequence) FROM event"));
  server.start();

  const Json keys = server.get("/audit/keys").json();
  REQUIRE(keys["keys"].items().size() == 1);
  const Json& key = keys["keys"].at(0);
  CHECK(key["kty"].text() == "EC");
  CHECK(key["crv"].text() == "P-256");
  CHECK(key["alg"].text() == "ES256");
  CHECK(key["use"].text() == "sig");

  const Json list = server.get("/audit/checkpoints?limit=1000").json();
  REQUIRE(list["data"].items().size() >= 2);
  std::string previous(64, '0');
  std::int64_t number = 0;
  for (const Json& checkpoint : list["data"].items()) {
    const std::string jws = checkpoint["jws"].text();
    CHECK(openssl_verifies(jws, key));
    const Json header = Json::parse(from_base64(split(jws, '.')[0]));
    CHECK(header["kid"].text() == key["kid"].text());
    CHECK(header["typ"].text() == "hsm-signer-checkpoint+jws");
    const Json payload = Json::parse(from_base64(split(jws, '.')[1]));
    CHECK(payload["checkpoint"].integer() == ++number);
    CHECK(payload["checkpoint"].integer() == checkpoint["number"].integer());
    CHECK(payload["sequence"].integer() == checkpoint["sequence"].integer());
    CHECK(payload["time"].text() == checkpoint["time"].text());
    CHECK(payload["previous"].text() == previous);
    previous = sha256(jws);
    const std::string line =
        lines_in_store(server, "sequence = " + std::to_string(checkpoint["sequence"].integer())).at(0);
    CHECK(payload["head"].text() == sha256(line));
  }
  std::string forged = list["data"].at(0)["jws"].text();
  const std::size_t at = forged.find('.') + 10;
  forged[at] = forged[at] == 'A' ? 'B' : 'A';
  CHECK_FALSE(openssl_verifies(forged, key));

  const Json page = server.get("/audit/checkpoints?limit=1&after=1").json();
  CHECK(page["data"].at(0)["number"].integer() == 2);
  CHECK(server.get("/audit/checkpoints?after=" + std::to_string(number + 5)).json()["data"].items().empty());
}

TEST_CASE("an RSA key and older keys are published as well, and what is no key is not") {
  const ServerFixture server;
  const std::string pem = public_key_of_key(new_key("RSA:2048"));
  const std::string kid = "00000000-0000-4000-8000-000000000001";
  sqlite(server, "INSERT INTO audit_key VALUES ('" + kid + "', '" + pem + "', 1)");
  const Json keys = server.get("/audit/keys").json();
  REQUIRE(keys["keys"].items().size() == 2);
  CHECK(keys["keys"].at(0)["kty"].text() == "EC");  // the newer one
  const Json& key = keys["keys"].at(1);
  CHECK(key["kty"].text() == "RSA");
  CHECK(key["alg"].text() == "RS256");
  CHECK(key["kid"].text() == kid);
  CHECK(key["e"].text() == "AQAB");
  CHECK(from_base64(key["n"].text()).size() == 256);
  for (const std::string& none : {std::string("x"), public_key_of_key(new_key("P-384"))}) {
    sqlite(server, "UPDATE audit_key SET public_key_pem = '" + none + "' WHERE id = '" + kid + "'");
    CHECK(server.get("/audit/keys").status == 500);
  }
}

TEST_CASE("a start tells of itself and of its settings when they are others, an end tells of itself") {
  ServerFixture server;
  const std::vector<Json> first = events_of(server, "settings_changed");
  REQUIRE(first.size() == 1);
  CHECK(first[0]["details"]["changed"].text() == "*");
  CHECK(first[0]["details"]["token.label"].text() == quote(server.token().label()));
  CHECK(first[0]["details"]["audit.checkpoint_events"].text() == "1000");
  CHECK(first[0]["details"].members().size() > 25);
  // Where the PIN is, not what it is.
  CHECK(lines_in_store(server, "kind = 'settings_changed'").at(0).find(server.token().pin()) == std::string::npos);

  const std::vector<Json> started = events_of(server, "server_started");
  REQUIRE(started.size() == 1);
  CHECK(started[0]["account"].text() == "");
  CHECK(started[0]["details"]["url"].text() == "http://127.0.0.1:" + std::to_string(server.port()));
  CHECK(started[0]["details"]["process_id"].text() == std::to_string(server.process().pid()));
  CHECK(started[0]["details"]["settings_sha256"].text() == sha256(server.command({"config", "show"}).out));
  CHECK(events_of(server, "server_stopped").empty());

  CHECK(server.stop(SIGTERM) == 0);
  REQUIRE(events_of(server, "server_stopped").size() == 1);
  CHECK(lines_in_store(server).back().find("\"server_stopped\"") != std::string::npos);

  server.start();
  CHECK(events_of(server, "server_started").size() == 2);
  CHECK(events_of(server, "settings_changed").size() == 1);
  server.kill();  // says nothing
  server.set("server.request_timeout_ms", "31000");
  server.set("store.readers", "3");
  server.start();
  CHECK(events_of(server, "server_stopped").size() == 1);
  const std::vector<Json> changed = events_of(server, "settings_changed");
  REQUIRE(changed.size() == 2);
  CHECK(changed[1]["details"]["changed"].text() == "server.request_timeout_ms, store.readers");
  CHECK(changed[1]["details"]["server.request_timeout_ms"].text() == "31000");
}

TEST_CASE("a start that cannot be told does not happen, and an end that cannot be told is no good one") {
  ServerFixture server;
  refuse_events_of_the_server(server);
  CHECK(server.stop(SIGTERM) == 1);
  CHECK(server.output().find("the end of the server is not in the journal") != std::string::npos);
  const test_support::CommandResult result = server.run_to_end();
  CHECK(result.exit_code != 0);
  CHECK(result.out.find("ready http") == std::string::npos);
  CHECK_MESSAGE(result.out.find("journal: the start cannot be told") != std::string::npos, result.out);
  CHECK(events_of(server, "server_started").size() == 1);
}

TEST_CASE("the live copy in a file is the journal, also after a kill and a last line that was cut") {
  const test_support::TemporaryDirectory place;
  const std::string file = place.file("journal.jsonl");
  ServerFixture server({.settings = {{"audit.copy_file", quote(file)}}, .environment = {}});
  const auto is_whole = [&] { return lines_of(test_support::read_file(file)) == lines_in_store(server); };
  server.must_generate(certificate("one"));
  CHECK(eventually(is_whole));
  server.must_generate(certificate("two"));
  server.kill();
  const std::string copied = octets_of_file(file);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << copied.substr(0, copied.size() - 25);
  server.start();
  server.must_generate(certificate("three"));
  CHECK(eventually(is_whole));
  CHECK(server.stop(SIGTERM) == 0);
  CHECK(is_whole());
}

TEST_CASE("a receiver of the live copy that is away, and a copy file that cannot be: warnings, and requests go on") {
  ServerFixture server({.settings = {{"audit.syslog", quote("tcp:127.0.0.1:1")},
                                     {"audit.copy_file", quote("/proc/nothing/journal.jsonl")}},
                        .environment = {}});
  for (int i = 0; i < 3; ++i) server.must_generate(certificate("leaf " + std::to_string(i)));
  CHECK(eventually([&] { return server.output().find("the receiver cannot be reached") != std::string::npos; }));
  CHECK(server.output().find("audit.copy_file: ") != std::string::npos);
  CHECK(server.stop(SIGTERM) == 0);
  CHECK(number_in_store(server, "max(sequence) FROM checkpoint") ==
        number_in_store(server, "max(sequence) FROM event"));
}

TEST_CASE("the token is away: no checkpoint, warnings, and as soon as it is back one that covers all") {
  ServerFixture server({.settings = {{"audit.checkpoint_events", "1"}}, .environment = {}, .faults = true});
  REQUIRE(eventually([&] {
    return number_in_store(server, "max(sequence) FROM checkpoint") ==
           number_in_store(server, "max(sequence) FROM event");
  }));
  server.plan("C_SignInit rv=CKR_DEVICE_MEMORY\n");
  server.create_account("somebody", {"reader=*"});
  CHECK(eventually([&] { return server.output().find("checkpoint not made") != std::string::npos; }));
  CHECK(server.get("/certificates").status == 200);
  server.plan("");
  CHECK(eventually([&] {
    return number_in_store(server, "max(sequence) FROM checkpoint") ==
           number_in_store(server, "max(sequence) FROM event");
  }));
}

TEST_CASE("a token that is lost and comes back, and a key that a failed request left: events") {
  ServerFixture server({.settings = {}, .environment = {}, .faults = true});
  server.must_generate(certificate("before"));
  server.plan("C_GenerateKeyPair rv=CKR_DEVICE_REMOVED\n");
  CHECK(server.generate(certificate("lost")).status >= 500);
  REQUIRE(eventually([&] { return !events_of(server, "token_lost").empty(); }));
  server.plan("");
  CHECK(
      eventually([&] { return server.generate(certificate("back " + std::to_string(server.rows()))).status == 201; }));
  REQUIRE(eventually([&] { return !events_of(server, "token_back").empty(); }));
  const Json lost = events_of(server, "token_lost").at(0);
  CHECK(lost["details"]["code"].text() == "CKR_DEVICE_REMOVED");
  CHECK(lost["object"].text() != "");
  CHECK(lost["object"].text() == events_of(server, "token_back").at(0)["object"].text());

  // The signature fails, so the key that was made for it goes.
  server.plan("C_Sign rv=CKR_FUNCTION_FAILED\n");
  CHECK(server.generate(certificate("unsigned")).status >= 500);
  CHECK(eventually([&] { return !events_of(server, "key_destroyed").empty(); }));
  server.plan("");
  CHECK(server.stop(SIGTERM) == 0);
}

TEST_CASE("settings of the journal that make no sense end the start and are named") {
  ServerFixture server({}, false);
  server.set("audit.syslog", quote("udp:logs.example.com:514"));
  server.set("audit.checkpoint_seconds", "0");
  server.set("audit.checkpoint_events", "0");
  const test_support::CommandResult result = server.run_to_end();
  CHECK(result.exit_code != 0);
  for (const char* name : {"audit.syslog", "audit.checkpoint_seconds", "audit.checkpoint_events"}) {
    CHECK(result.out.find(name) != std::string::npos);
  }
}
