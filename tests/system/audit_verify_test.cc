// The journal of a real server, checked from the outside: by the program, without token or PIN, and by openssl.
#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <thread>

#include "system/account_calls.h"
#include "system/files.h"
#include "system/server.h"

using namespace system_test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// One after so many events, and a second.
ServerOptions with_checkpoints(const std::string& events) {
  ServerOptions options;
  options.settings = {{"audit.checkpoint_events", events}, {"audit.checkpoint_seconds", "1"}};
  return options;
}

Body body(const std::string& name) {
  return Body()
      .text("certificate_name", name)
      .text("common_name", name + ".example.com")
      .text("folder", "My")
      .set("algorithm", R"({"ecdsa_number_of_bits":256})")
      .text("digest", "sha256")
      .text("signed_by", "");
}

test_support::CommandResult verify(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {program(), "audit", "verify"});
  return test_support::run_command(arguments);
}

std::string database(const ServerFixture& server) { return server.state().file("hsm-signer.sqlite"); }

// A copy that sqlite3 has changed.
std::string changed(const ServerFixture& server, const std::string& sql) {
  const std::string path = server.state().file("changed.sqlite");
  fs::remove(path);
  test_support::must_run({"sqlite3", database(server), ".backup '" + path + "'"});
  test_support::must_run({"sqlite3", "-bail", path, sql});
  return path;
}

std::string sequence_of(const ServerFixture& server, const std::string& kind) {
  std::string text = sqlite(server, "SELECT min(sequence) FROM event WHERE kind = '" + kind + "'");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("the journal of a server is verified while it runs, after its end, and after it was killed") {
  ServerFixture server(with_checkpoints("2"));
  server.must_generate(body("one"));
  CHECK(server.command({"audit", "verify"}).exit_code == 0);
  REQUIRE(server.stop(SIGTERM) == 0);
  const auto ended = server.command({"audit", "verify"});
  CAPTURE(ended.out);
  CHECK(ended.exit_code == 0);
  // The last checkpoint is made at the end, of all there is.
  CHECK(holds(ended.out, "uncovered    0 events"));
  CHECK(holds(ended.out, "key          "));

  server.start();
  server.must_generate(body("two"));
  server.kill();
  const auto killed = server.command({"audit", "verify"});
  CAPTURE(killed.out);
  CHECK(killed.exit_code == 0);
}

TEST_CASE("a server's database that was tampered with is told") {
  ServerFixture server(with_checkpoints("2"));
  server.must_generate(body("one"));
  server.must_generate(body("two"));
  REQUIRE(server.stop(SIGTERM) == 0);
  const std::string key = server.state().write("audit.pem", pem_in(server.command({"audit", "key"}).out));
  const std::string kept = server.state().write("kept.jws", server.command({"audit", "checkpoint"}).out);
  const std::string issued = sequence_of(server, "certificate_issued");
  REQUIRE(verify({"--database", database(server), "--key", key, "--checkpoint", kept}).exit_code == 0);

  struct Row {
    std::string sql;
    std::string bad;
  };
  const std::string at = " WHERE sequence = " + issued;
  for (const Row& row : std::vector<Row>{
           {"UPDATE event SET line = replace(line, 'one', 'eno')" + at, "event " + issued},
           {"UPDATE event SET object = 'another'" + at, "event " + issued},
           {"DELETE FROM event" + at, "event " + issued},
           {"DELETE FROM event WHERE sequence >= " + issued, "event"},
           {"DELETE FROM event WHERE sequence >= " + issued + "; DELETE FROM checkpoint WHERE sequence >= " + issued,
            "event " + issued},
           {"UPDATE checkpoint SET jws = (SELECT jws FROM checkpoint WHERE number = 1)", "event"},
       }) {
    const auto result = verify({"--database", changed(server, row.sql), "--key", key, "--checkpoint", kept});
    CAPTURE(row.sql);
    CAPTURE(result.out);
    CHECK(result.exit_code == 1);
    CHECK(result.out.starts_with("tampered: the first bad event is " + row.bad));
  }
}

TEST_CASE("an archive is made beside a running server, which goes on") {
  ServerFixture server(with_checkpoints("1"));
  server.must_generate(body("one"));
  // A checkpoint of it, and then a time after that.
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (!holds(server.command({"audit", "verify"}).out, "uncovered    0 events")) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(100ms);
  }
  const std::string archive = server.state().file("archive.jsonl");
  const auto made = server.command({"audit", "archive", "--before", "2999-01-01", "--output", archive});
  CAPTURE(made.out);
  REQUIRE(made.exit_code == 0);
  server.must_generate(body("two"));
  CHECK(verify({"--from-file", archive}).exit_code == 0);
  // Once a checkpoint covers the event that tells of the archive.
  while (server.command({"audit", "verify", "--part"}).exit_code != 0) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(100ms);
  }
  CHECK(server.command({"audit", "verify"}).exit_code == 2);
  REQUIRE(server.stop(SIGTERM) == 0);
  const auto both = server.command({"audit", "verify", "--from-file", archive});
  CAPTURE(both.out);
  CHECK(both.exit_code == 0);
  CHECK(holds(both.out, "intact\nevents       1 to "));
  CHECK(holds(both.out, "uncovered    0 events"));
}
