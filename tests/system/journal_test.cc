// What the journal tells, seen by another program in the store's file: who, what, how it ended; and that nothing is
// done when it cannot be told.
#include <doctest/doctest.h>
#include <sys/mount.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "system/account_calls.h"
#include "system/server.h"

using namespace system_test;
using namespace std::chrono_literals;

namespace {

std::vector<Json> events(const ServerFixture& server, const std::string& kind = "") {
  std::vector<Json> all;
  std::istringstream lines(sqlite(
      server, "SELECT line FROM event " + (kind.empty() ? "" : "WHERE kind = '" + kind + "' ") + "ORDER BY sequence"));
  for (std::string line; std::getline(lines, line);) all.push_back(Json::parse(line));
  return all;
}

Json only(const ServerFixture& server, const std::string& kind) {
  const std::vector<Json> found = events(server, kind);
  CAPTURE(kind);
  REQUIRE(found.size() == 1);
  return found.front();
}

// Who, from where, in which request, and how it ended.
void check_origin(const Json& event, const std::string& account, const Reply& reply, const std::string& outcome) {
  CHECK(event["account"].text() == account);
  CHECK(event["address"].text() == "127.0.0.1");
  CHECK(event["request_id"].text() == reply.header("x-request-id"));
  CHECK(event["outcome"].text() == outcome);
}

Body certificate_body(const std::string& name) {
  return Body()
      .text("certificate_name", name)
      .text("common_name", name + ".example.com")
      .text("folder", "My")
      .set("algorithm", R"({"ecdsa_number_of_bits":256})")
      .text("digest", "sha256")
      .text("signed_by", "");
}

std::string sha256(const std::string& text) {
  const test_support::TemporaryDirectory directory;
  std::ofstream(directory.file("text"), std::ios::binary) << text;
  return test_support::must_run({"openssl", "dgst", "-sha256", "-r", directory.file("text")}).substr(0, 64);
}

std::string all_lines(const ServerFixture& server) { return sqlite(server, "SELECT line FROM event"); }

}  // namespace

TEST_CASE("issue, export, delete: each is an event with who, where, what, and the digest of the body") {
  const ServerFixture server;
  const std::string body = certificate_body("leaf").set("is_block_privateKey", "false").json();
  const Reply issued = server.post("/certificates", body);
  REQUIRE(issued.status == 201);
  const std::string id = issued.json()["id"].text();
  const Json event = only(server, "certificate_issued");
  check_origin(event, "tester", issued, "done");
  CHECK(event["object"].text() == id);
  CHECK(event["container"].text() == "folder:My");
  CHECK(event["request_digest"].text() == sha256(body));
  CHECK(event["details"]["name"].text() == "leaf");
  CHECK(event["details"]["serial"].text() == issued.json()["serial_number"].text());
  CHECK(event["details"]["sha256"].text() == issued.json()["fingerprint_sha256"].text());
  CHECK(event["details"]["key"].text() == "EC-256, made in the token, extractable");

  const std::string passphrase = "a passphrase that nobody guesses";
  const Reply exported = server.post("/certificates/" + id + ":export",
                                     Body().text("format", "pkcs12").text("passphrase", passphrase).json());
  REQUIRE(exported.status == 201);
  const Json given = only(server, "private_key_exported");
  check_origin(given, "tester", exported, "done");
  CHECK(given["object"].text() == id);
  CHECK(given["details"]["format"].text() == "pkcs12");
  CHECK(given["request_digest"].text() == "");  // the body held a passphrase
  REQUIRE(server.post("/certificates/" + id + ":export", R"({"format":"pem"})").status == 201);
  CHECK(only(server, "certificate_exported")["object"].text() == id);

  const Reply deleted = server.send({"DELETE", "/certificates/" + id, {}, ""});
  REQUIRE(deleted.status == 200);
  check_origin(only(server, "deletion_begun"), "tester", deleted, "done");
  check_origin(only(server, "certificate_deleted"), "tester", deleted, "done");
  CHECK(all_lines(server).find(passphrase) == std::string::npos);
}

TEST_CASE("a weak choice that the profile allows stands in the journal") {
  const ServerFixture server;
  server.must_generate(
      certificate_body("weak").set("algorithm", R"({"rsa_number_of_bits":1024})").text("digest", "sha1"));
  const std::string warnings = only(server, "certificate_issued")["details"]["warnings"].text();
  CHECK(warnings.find("algorithm") != std::string::npos);
  CHECK(warnings.find("digest") != std::string::npos);
}

TEST_CASE("what is refused or fails is an event with its reason, what only reads is not") {
  const ServerFixture server({.settings = {}, .environment = {}, .faults = true});
  const Reply faulty = server.post("/certificates", certificate_body("x").text("digest", "crc32").json());
  REQUIRE(faulty.status == 400);
  const Json refused = only(server, "request_refused");
  check_origin(refused, "tester", faulty, "refused");
  CHECK(refused["container"].text() == "folder:My");
  CHECK(refused["details"]["request"].text() == "POST /certificates");
  CHECK(refused["details"]["error"].text() == "invalid_object");
  CHECK(refused["details"]["reason"].text().find("digest: ") == 0);
  CHECK(server.get("/certificates/00000000-0000-4000-8000-000000000000").status == 404);
  CHECK(events(server, "request_refused").size() == 1);

  server.plan("C_GenerateKeyPair rv=CKR_DEVICE_MEMORY\n");
  const Reply failed = server.post("/certificates", certificate_body("y").json());
  CHECK(failed.status == 503);
  server.plan("");
  const std::vector<Json> both = events(server, "request_refused");
  REQUIRE(both.size() == 2);
  check_origin(both[1], "tester", failed, "failed");
}

TEST_CASE("who is not let in, and who may not, are events") {
  const ServerFixture server;
  const Account reader = server.create_account("reading", {"reader=folder:My"});
  const std::string token = server.access_token(reader);
  const Reply forbidden = call(server, token, "POST", "/certificates", certificate_body("x").json());
  REQUIRE(forbidden.status == 403);
  const Json unauthorized = only(server, "authorization_failed");
  check_origin(unauthorized, "reading", forbidden, "refused");
  CHECK(unauthorized["details"]["request"].text() == "POST /certificates");

  const Reply nobody = server.send({"GET", "/certificates", {{"Authorization", "none"}}, ""});
  REQUIRE(nobody.status == 401);
  check_origin(only(server, "authentication_failed"), "", nobody, "refused");
  const std::string wrong = "not-the-secret-of-this-account";
  const Reply guessed = server.request_token({"reading", wrong});
  REQUIRE(guessed.status == 401);
  const std::vector<Json> failures = events(server, "authentication_failed");
  REQUIRE(failures.size() == 2);
  check_origin(failures[1], "reading", guessed, "refused");
  CHECK(failures[1]["details"]["reason"].text() == "wrong secret");
  // A secret sent as a client id is not kept for all to read.
  server.request_token({"a secret in the wrong field!", "x"});
  CHECK(events(server, "authentication_failed").back()["account"].text() == "(no client id)");
  CHECK(all_lines(server).find(wrong) == std::string::npos);
  CHECK(all_lines(server).find(reader.client_secret) == std::string::npos);
}

TEST_CASE("accounts and the keys of access tokens: the command line is told by its user, HTTP by its account") {
  const ServerFixture server;
  const Account account = server.create_account("payments", {"issuer=folder:My"});
  const std::vector<Json> created = events(server, "account_created");
  REQUIRE(created.size() == 2);
  CHECK(created[1]["object"].text() == "payments");
  CHECK(created[1]["account"].text().starts_with("local:"));
  CHECK(created[1]["details"]["grants"].text() == "issuer=folder:My");
  const Reply made = server.post("/accounts", R"({"client_id":"second","grants":[{"role":"reader","container":"*"}]})");
  REQUIRE(made.status == 201);
  check_origin(events(server, "account_created")[2], "tester", made, "done");
  const Reply disabled = server.post("/accounts/second:disable", "");
  REQUIRE(disabled.status == 200);
  check_origin(only(server, "account_disabled"), "tester", disabled, "done");
  REQUIRE(server.post("/accounts/second:enable", "").status == 200);
  CHECK(only(server, "account_enabled")["object"].text() == "second");
  const Reply rotated = call(server, server.access_token(account), "POST", "/accounts/self:rotate");
  REQUIRE(rotated.status == 201);
  check_origin(only(server, "account_secret_rotated"), "payments", rotated, "done");
  REQUIRE(server.command({"access-token-key", "rotate"}).exit_code == 0);
  const std::vector<Json> keys = events(server, "access_token_key_made");
  REQUIRE(keys.size() == 2);
  CHECK(keys[0]["account"].text() == "");  // the server's own, at its first start
  CHECK(keys[1]["account"].text().starts_with("local:"));
  CHECK(events(server, "access_token_issued").size() >= 2);
  CHECK(all_lines(server).find(rotated.json()["client_secret"].text()) == std::string::npos);
}

TEST_CASE("a store that is locked: 503, nothing done, and it goes on afterwards") {
  const ServerFixture server;
  const std::string kept = server.must_generate(certificate_body("kept"))["id"].text();
  const std::size_t keys = server.keys();
  {
    const test_support::TemporaryDirectory directory;
    std::ofstream(directory.file("script")) << "BEGIN EXCLUSIVE;\nSELECT 'locked';\n.shell exec sleep 30\n";
    test_support::BackgroundProcess lock({"sqlite3", server.state().file("hsm-signer.sqlite")}, {},
                                         directory.file("output"), directory.file("script"));
    lock.wait_for_line("locked", 20s);
    const Reply refused = server.generate(certificate_body("unwritten"));
    CHECK(refused.status == 503);
    CHECK(refused.json()["_errors"].at(0)["message"].text() == "Journal Unavailable");
    CHECK(refused.header("retry-after") != "");
    CHECK(server.send({"DELETE", "/certificates/" + kept, {}, ""}).status == 503);
    CHECK(server.get("/certificates/" + kept).status == 200);
  }
  CHECK(server.keys() == keys);
  CHECK(server.rows() == 1);
  CHECK(server.generate(certificate_body("written")).status == 201);
}

TEST_CASE("a disk that is full: 503 for whatever changes or gives out something, and nothing is done") {
  // A file system of its own for the store, small enough to be filled.
  const test_support::TemporaryDirectory place;
  const std::string disk = place.file("disk");
  std::filesystem::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=2m,mode=0700") != 0) {
    MESSAGE("test skipped: mounting a file system is not allowed here");
    return;
  }
  struct Unmount {
    const std::string& path;
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } const unmount{disk};
  const ServerFixture server({.settings = {{"store.path", quote(disk + "/hsm-signer.sqlite")}}, .environment = {}});
  const Reply kept = server.generate(certificate_body("kept").set("is_block_privateKey", "false"));
  REQUIRE(kept.status == 201);
  const std::string id = kept.json()["id"].text();
  const std::size_t keys = server.keys();
  {
    std::ofstream filler(disk + "/filler", std::ios::binary);
    const std::string block(1024, 'x');
    while (filler.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  }
  Reply reply;
  // What is preallocated may still take a record or two.
  for (int i = 0; i < 50 && reply.status != 503; ++i)
    reply = server.generate(certificate_body("full-" + std::to_string(i)));
  REQUIRE(reply.status == 503);
  CHECK(reply.json()["_errors"].at(0)["message"].text() == "Journal Unavailable");
  const std::size_t then = server.keys();
  CHECK(server.generate(certificate_body("again")).status == 503);
  CHECK(server.send({"DELETE", "/certificates/" + id, {}, ""}).status == 503);
  // No key goes out untold.
  const Reply exported =
      server.post("/certificates/" + id + ":export", R"({"format":"pkcs12","passphrase":"long enough"})");
  CHECK(exported.status == 503);
  CHECK(exported.body.find("MII") == std::string::npos);
  CHECK(server.keys() == then);
  CHECK(server.post("/accounts", R"({"client_id":"untold","grants":[{"role":"reader","container":"*"}]})").status ==
        503);
  CHECK(server.request_token(server.everything()).status == 503);
  // A refusal that cannot be told is no longer a mere refusal.
  CHECK(server.generate(certificate_body("faulty").text("digest", "crc32")).status == 503);
  CHECK(server.get("/certificates/" + id).status == 200);

  std::filesystem::remove(disk + "/filler");
  CHECK(server.generate(certificate_body("after")).status == 201);
  CHECK(server.get("/accounts/untold").status == 404);
  CHECK(server.keys() > keys);
}

TEST_CASE("settings that changed since the last start are told by name, a profile in a file of its own too") {
  const test_support::TemporaryDirectory profiles;
  const auto write_profile = [&](int bits) {
    std::ofstream(profiles.file("ours.toml"))
        << "name = \"ours\"\ndescription = \"Ours\"\n[rules.min-rsa-bits]\nvalue = " << bits << "\n";
  };
  write_profile(2048);
  ServerFixture server({.settings = {{"policy.directory", quote(profiles.path())}}, .environment = {}});
  CHECK(only(server, "settings_changed")["details"]["changed"].text() == "*");
  const auto restart = [&] {
    REQUIRE(server.stop(SIGTERM) == 0);
    server.start();
  };
  restart();
  CHECK(events(server, "settings_changed").size() == 1);
  write_profile(3072);
  restart();
  REQUIRE(events(server, "settings_changed").size() == 2);
  CHECK(events(server, "settings_changed").back()["details"]["changed"].text() == "policy.profile.ours");
  server.set("log.level", "\"warning\"");
  restart();
  CHECK(events(server, "settings_changed").back()["details"]["changed"].text() == "log.level");
  CHECK(events(server, "server_stopped").size() == 3);
  CHECK(events(server, "server_started").size() == 4);
}

TEST_CASE("whose credential was refused is told once that is sure, and the token endpoint tells of every refusal") {
  const ServerFixture server;
  const Account former = server.create_account("former", {"reader=*"});
  const std::string token = server.access_token(former);
  REQUIRE(server.post("/accounts/former:disable", "").status == 200);
  REQUIRE(call(server, token, "GET", "/certificates").status == 401);
  CHECK(events(server, "authentication_failed").back()["account"].text() == "former");

  std::size_t told = events(server, "authentication_failed").size();
  const auto refused = [&](const Request& request) {
    REQUIRE(server.send(request).status == 401);
    CHECK(events(server, "authentication_failed").size() == ++told);
  };
  const auto with_basic = [](Request request, const std::string& value) {
    request.headers.emplace("Authorization", value);
    return request;
  };
  const Request anonymous = form_request("/oauth2/access_token", {{"grant_type", "client_credentials"}});
  refused(with_basic(anonymous, "none"));
  refused(with_basic(anonymous, "Basic !!!"));
  refused(
      with_basic(form_request("/oauth2/access_token", {{"grant_type", "client_credentials"}, {"client_id", "other"}}),
                 "Basic Zm9ybWVyOng="));
}

TEST_CASE("a trigger that swallows events: nothing is done any more, and the server does not start with it") {
  ServerFixture server;
  server.must_generate(certificate_body("before"));
  sqlite(server,
         "CREATE TRIGGER quiet BEFORE INSERT ON event WHEN new.kind = 'certificate_issued' "
         "BEGIN SELECT RAISE(IGNORE); END");
  const std::size_t keys = server.keys();
  const Reply refused = server.generate(certificate_body("untold"));
  CHECK(refused.status == 503);
  CHECK(server.keys() == keys);
  CHECK(server.rows() == 1);
  server.stop(SIGTERM);
  const test_support::CommandResult start = server.run_to_end();
  CHECK(start.exit_code != 0);
  CHECK(start.out.find("triggers that this program has not made") != std::string::npos);
  sqlite(server, "DROP TRIGGER quiet");
  server.start();
  CHECK(server.generate(certificate_body("after")).status == 201);
}
