// An auditor with a report, an exported journal, a checkpoint kept elsewhere and openssl: examples/audit/check confirms
// each figure, and says where a changed octet is.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "system/account_calls.h"
#include "system/files.h"

using namespace system_test;
using test_support::CommandResult;
using test_support::read_file;

namespace {

Body leaf(const std::string& name, const std::string& algorithm, int days) {
  return Body()
      .text("certificate_name", name)
      .text("common_name", name + ".example.com")
      .text("folder", "Audited")
      .set("algorithm", algorithm)
      .text("digest", "sha256")
      .set("day_till_expiration", std::to_string(days));
}

const std::string kP256 = R"({"ecdsa_number_of_bits":256})";

// A service with a bit of everything in it, and what its auditor takes along.
struct Audited {
  ServerFixture server;
  test_support::TemporaryDirectory directory;

  Audited() {
    server.must_generate(leaf("root", R"({"ecdsa_number_of_bits":384})", 3650).set("is_certificate_authority", "true"));
    for (const int days : {20, 50, 80, 365}) {
      server.must_generate(leaf("d" + std::to_string(days), kP256, days).text("signed_by", "root"));
    }
    server.must_generate(leaf("weak", R"({"rsa_number_of_bits":1024})", 100).text("digest", "sha1"));
    server.must_generate(leaf("exportable", kP256, 100).set("is_block_privateKey", "false"));
    server.must_generate(leaf("pending", kP256, 100).text("signed_by", "external"));
    const std::string gone = server.must_generate(leaf("gone \\\" {}", kP256, 10))["id"].text();
    REQUIRE(server.send({"DELETE", "/certificates/" + gone, {}, ""}).status == 200);
    server.create_account("payments", {"issuer=folder:Payments"});
    server.create_account("former", {"reader=*"});
    REQUIRE(server.post("/accounts/former:disable", "").status == 200);
    keep("report", {"report", "--format", "json", "--output", file("report.json")});
    REQUIRE(server.stop(SIGTERM) == 0);  // which makes a checkpoint
    keep("export", {"audit", "export", "--output", file("journal.jsonl")});
    write("kept.jws", keep("checkpoint", {"audit", "checkpoint"}));
    write("audit.pem", keep("key", {"audit", "key"}));
  }

  std::string file(const std::string& name) const { return directory.file(name); }
  std::string keep(const std::string& what, const std::vector<std::string>& arguments) const {
    const CommandResult result = server.command(arguments);
    CAPTURE(what);
    REQUIRE(result.exit_code == 0);
    return result.out;
  }
  void write(const std::string& name, const std::string& octets) const {
    std::ofstream(file(name), std::ios::binary) << octets;
  }
  CommandResult check() const { return test_support::run_command({AUDITORS_CHECK, directory.path()}); }
};

}  // namespace

TEST_CASE_FIXTURE(Audited,
                  "each figure of the report is confirmed, and an octet changed anywhere is told with its place") {
  const CommandResult good = check();
  CAPTURE(good.out);
  REQUIRE(good.exit_code == 0);
  for (const char* figure :
       {"inventory.certificates 7", "inventory.pending 1", "KEY-1.keys_exportable 1", "KEY-7.weak 1",
        "CERT-3.md5_or_sha1 1", "CERT-4.within_30_days 1", "CERT-4.within_31_to_60_days 1",
        "CERT-4.within_61_to_90_days 1", "ACC-1.active_accounts 2", "LOG-3.covered 8"}) {
    CHECK_MESSAGE(good.out.find(std::string("ok   ") + figure + "\n") != std::string::npos, figure);
  }

  std::mt19937 random(20261125);
  for (const std::string name : {"journal.jsonl", "kept.jws", "report.json", "report.json.jws", "audit.pem"}) {
    const std::string octets = read_file(file(name));
    const auto told = [&](const std::string& changed, const std::string& how) {
      CAPTURE(name);
      CAPTURE(how);
      write(name, changed);
      const CommandResult bad = check();
      CAPTURE(bad.out);
      CHECK(bad.exit_code == 1);
      const std::size_t at = bad.out.find("BAD  ");
      REQUIRE(at != std::string::npos);
      CHECK(bad.out.find(name, at) != std::string::npos);
    };
    const int times = name == "journal.jsonl" ? 10 : 3;
    for (int i = 0; i < times; ++i) {
      std::string changed = octets;
      const std::size_t at = random() % (changed.size() - 1);  // the last is a line feed, which says nothing
      changed[at] = static_cast<char>(changed[at] ^ (1 << random() % 8));
      told(changed, "changed at " + std::to_string(at));
    }
    const std::size_t middle = octets.size() / 2;
    told(octets.substr(0, middle) + std::string(1, '\0') + octets.substr(middle), "an octet 0 put in");
    told(octets.substr(0, middle) + octets.substr(middle + 1), "an octet taken out");
    told("x" + octets, "an octet in front");
    if (name == "kept.jws" || name == "report.json.jws") {
      // The last character of a signature of 64 octets has bits that say nothing.
      const std::size_t last = octets.find_last_not_of('\n');
      std::string changed = octets;
      changed[last] = static_cast<char>(changed[last] + 1);
      told(changed, "the last character");
    }
    write(name, octets);
  }
}

TEST_CASE_FIXTURE(Audited, "events taken out, the end cut off, another figure in the report") {
  const std::string journal = read_file(file("journal.jsonl"));
  std::vector<std::string> lines;
  std::istringstream text(journal);
  for (std::string line; std::getline(text, line);) lines.push_back(line + "\n");
  const auto written = [&](std::size_t without, std::size_t end) {
    std::string all;
    for (std::size_t i = 0; i < end; ++i) all += i == without ? "" : lines[i];
    write("journal.jsonl", all);
    return check();
  };
  const std::size_t nothing = lines.size();
  REQUIRE(written(nothing, lines.size()).exit_code == 0);
  CommandResult bad = written(5, lines.size());
  CHECK(bad.exit_code == 1);
  CHECK(bad.out.find("journal.jsonl: event ") != std::string::npos);
  bad = written(nothing, lines.size() - 3);  // cut off, with its checkpoint
  CHECK(bad.exit_code == 1);
  CHECK(bad.out.find("kept.jws: line 1 covers an event") != std::string::npos);
  write("journal.jsonl", journal);

  std::string report = read_file(file("report.json"));
  const std::size_t at = report.find("\"keys_exportable\": 1");
  REQUIRE(at != std::string::npos);
  report.replace(at, 20, "\"keys_exportable\": 0");
  write("report.json", report);
  bad = check();
  CHECK(bad.exit_code == 1);
  CHECK(bad.out.find("report.json: is not what was signed") != std::string::npos);
}

TEST_CASE_FIXTURE(Audited, "lines that are none, and keys that no event tells of") {
  const std::string journal = read_file(file("journal.jsonl"));
  const std::size_t end_of_key = journal.find('\n');
  const auto told = [&](const std::string& changed) {
    write("journal.jsonl", changed);
    const CommandResult bad = check();
    CAPTURE(bad.out);
    CHECK(bad.exit_code == 1);
    CHECK(bad.out.find("BAD  journal.jsonl: ") != std::string::npos);
  };
  told(journal.substr(0, end_of_key) + "x" + journal.substr(end_of_key));
  std::string other_id = journal;
  other_id[15] = other_id[15] == '0' ? '1' : '0';
  told(other_id);
  // Another key of the same form, without an event.
  std::string key = journal.substr(0, end_of_key + 1);
  key[15] = key[15] == '0' ? '1' : '0';
  told(key + journal);
  const std::string last = "{\"sequence\":1,\"time\":\"2026-11-25T00:00:00.000Z\",\"invented\":\"\"}\n";
  told(journal + last);
}

TEST_CASE_FIXTURE(Audited, "after archiving, the archives and the journal together are what is checked") {
  server.start();
  REQUIRE(server.get("/certificates").status == 200);
  REQUIRE(server.stop(SIGTERM) == 0);
  keep("archive", {"audit", "archive", "--before", "2100-01-01", "--output", file("archive.jsonl")});
  keep("export", {"audit", "export", "--output", file("rest.jsonl")});
  std::filesystem::remove(file("journal.jsonl"));
  const std::string rest = read_file(file("rest.jsonl"));
  write("journal.jsonl", rest);
  const CommandResult alone = check();
  CAPTURE(alone.out);
  CHECK(alone.exit_code == 1);
  CHECK(alone.out.find("put its archives before it") != std::string::npos);
  write("journal.jsonl", read_file(file("archive.jsonl")) + rest);
  const CommandResult together = check();
  CAPTURE(together.out);
  CHECK(together.exit_code == 0);
}
