// The compliance report as auditors meet it: over HTTP and from the command line, its signature checked by us and by
// openssl as docs/COMPLIANCE.md says.
#include <doctest/doctest.h>

#include <fstream>
#include <regex>

#include "system/files.h"
#include "system/server.h"

using namespace system_test;
using test_support::CommandResult;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void write(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
}

// The block of shell in docs/COMPLIANCE.md.
std::string recipe() {
  const std::string text = test_support::read_file(COMPLIANCE_DOCUMENT);
  const std::size_t begin = text.find("```sh\n") + 6;
  return text.substr(begin, text.find("```", begin) - begin);
}

std::string audit_key(const ServerFixture& server) {
  const CommandResult key = server.command({"audit", "key"});
  REQUIRE(key.exit_code == 0);
  const std::string path = server.state().file("audit-key.pem");
  write(path, key.out.substr(key.out.find("-----BEGIN")));
  return path;
}

CommandResult verify(const std::string& file, const std::string& key) {
  return test_support::run_command({program(), "report", "verify", file, "--key", key});
}

const Json& control(const Json& report, const std::string& id) {
  for (const Json& each : report["controls"].items()) {
    if (each["id"].text() == id) return each;
  }
  throw std::runtime_error("no control " + id);
}

}  // namespace

TEST_CASE("an auditor gets the report over HTTP as JSON or as a page, signed, and the journal tells of it") {
  const ServerFixture server;
  server.must_generate(certificate("<script>alert(1)</script>").text("folder", "F"));
  // Directly: it is signed octet for octet, and a proxy writes JSON anew.
  const Reply json = server.send({"GET", "/reports/compliance", {}, "", true});
  REQUIRE_MESSAGE(json.status == 200, json.body);
  CHECK(json.header("content-type") == "application/json");
  const Json report = json.json();
  CHECK(report["inventory"]["certificates"].integer() == 1);
  CHECK(report["inventory"]["orphans"]["total"].integer() == 0);
  CHECK(report["inventory"]["service_keys"].integer() == 2);
  CHECK(report["challenges"]["answered"].integer() == 1);
  CHECK(report["probe"]["outcome"].text() == "keeps_keys");
  CHECK(control(report, "KEY-2")["verdict"].text() == "pass");
  CHECK(control(report, "KEY-3")["verdict"].text() == "fail");
  CHECK(control(report, "LOG-1")["verdict"].text() == "pass");
  CHECK(control(report, "LOG-3")["verdict"].text() == "pass");
  // The tests' own account has every role: that is what the report is there to tell.
  CHECK(control(report, "ACC-1")["verdict"].text() == "fail");

  const Reply page = server.send({"GET", "/reports/compliance", {{"Accept", "text/html,*/*;q=0.1"}}, ""});
  REQUIRE(page.status == 200);
  CHECK(page.header("content-type") == "text/html; charset=utf-8");
  CHECK(page.header("vary") == "Accept");
  CHECK(page.body.starts_with("<!DOCTYPE html>"));
  CHECK_FALSE(holds(page.body, "<script"));
  // What the first report stated about the journal, the second one has checked.
  CHECK(holds(page.body, "it has the same hash today"));

  const std::string key = audit_key(server);
  for (const auto& [name, reply] : {std::pair("a.json", &json), std::pair("a.html", &page)}) {
    const std::string file = server.state().file(name);
    write(file, reply->body);
    write(file + ".jws", reply->header("x-report-signature"));
    const CommandResult good = verify(file, key);
    CHECK_MESSAGE(good.exit_code == 0, good.out);
  }
  const std::string events = server.get("/audit/events?kind=report_made").body;
  CHECK(holds(events, "\"format\":\"json\""));
  CHECK(holds(events, "\"format\":\"html\""));
  CHECK(server.send({"GET", "/reports/compliance", {{"Accept", "image/png"}}, ""}).status == 400);
  CHECK(server.get("/reports/compliance?x=1").status == 400);
}

TEST_CASE("the command line makes a report beside the running server, and it is checked without either") {
  const ServerFixture server;
  for (int i = 0; i < 3; ++i) server.must_generate(certificate("name-" + std::to_string(i)).text("folder", "F"));
  const std::string file = server.state().file("report.html");
  const CommandResult made = server.command({"report", "--output", file});
  REQUIRE_MESSAGE(made.exit_code == 0, made.out);
  CHECK(holds(made.out, "challenging keys"));
  CHECK(holds(made.out, "verdict fail"));  // SoftHSM
  const std::string html = test_support::read_file(file);
  CHECK(holds(html, "Of 3 keys, 3 signed"));

  const std::string key = audit_key(server);
  const CommandResult good = verify(file, key);
  CHECK(good.exit_code == 0);
  CHECK(good.out.starts_with("good\n"));

  // One octet of the report, of the signature; another key; no signature.
  std::string changed = html;
  changed[changed.size() / 2] ^= 1;
  const std::string other = server.state().file("changed.html");
  write(other, changed);
  write(other + ".jws", test_support::read_file(file + ".jws"));
  CHECK(verify(other, key).exit_code == 1);
  std::string jws = test_support::read_file(file + ".jws");
  jws[jws.size() - 10] = jws[jws.size() - 10] == 'A' ? 'B' : 'A';
  write(other, html);
  write(other + ".jws", jws);
  CHECK(verify(other, key).exit_code == 1);
  const std::string stranger = server.state().file("stranger.pem");
  test_support::must_run(
      {"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", stranger + ".key"});
  test_support::must_run({"openssl", "pkey", "-in", stranger + ".key", "-pubout", "-out", stranger});
  CHECK(verify(file, stranger).exit_code == 1);
  CHECK(verify(server.state().file("nothing.html"), key).exit_code == 2);
  CHECK(verify(file, file).exit_code == 2);
  // A checkpoint is signed by the same key and is no report.
  const CommandResult checkpoint = server.command({"audit", "checkpoint"});
  if (checkpoint.exit_code == 0) {
    write(other + ".jws", checkpoint.out.substr(checkpoint.out.find("ey")));
    CHECK(verify(other, key).exit_code == 1);
  }

  // What is there is never written over.
  CHECK(server.command({"report", "--output", file}).exit_code != 0);
  CHECK(test_support::read_file(file) == html);
}

TEST_CASE("openssl and a shell check a report as docs/COMPLIANCE.md says") {
  const ServerFixture server;
  server.must_generate(certificate("one").text("folder", "F"));
  const std::string file = server.state().file("report.html");
  REQUIRE(server.command({"report", "--output", file, "--no-probe"}).exit_code == 0);
  audit_key(server);
  const std::string directory = server.state().path().string();
  const auto run = [&] {
    return test_support::run_command({"sh", "-c", "cd \"$0\" || exit 9\n" + recipe(), directory}).out;
  };
  const std::string out = run();
  CHECK_MESSAGE(holds(out, "Verified OK"), out);
  std::smatch signed_digest;
  REQUIRE(std::regex_search(out, signed_digest, std::regex("\"sha256\":\"([0-9a-f]{64})\"")));
  CHECK(holds(out, signed_digest[1].str() + " *report.html"));
  // The same recipe tells of a change.
  write(file, test_support::read_file(file) + " ");
  CHECK_FALSE(holds(run(), signed_digest[1].str() + " *report.html"));
  std::string jws = test_support::read_file(file + ".jws");
  const std::size_t at = jws.find('.') + 20;
  jws[at] = jws[at] == 'A' ? 'B' : 'A';
  write(file + ".jws", jws);
  CHECK_FALSE(holds(run(), "Verified OK"));
}

TEST_CASE("a report without challenges and probe says so") {
  const ServerFixture server;
  server.must_generate(certificate("one").text("folder", "F"));
  const std::string file = server.state().file("report.json");
  const CommandResult made =
      server.command({"report", "--format", "json", "--output", file, "--no-challenge", "--no-probe"});
  REQUIRE_MESSAGE(made.exit_code == 0, made.out);
  const Json report = Json::parse(test_support::read_file(file));
  CHECK(report["challenges"].kind() == Json::Kind::null);
  CHECK(report["probe"].kind() == Json::Kind::null);
  CHECK(control(report, "KEY-5")["verdict"].text() == "attention");
  CHECK(control(report, "KEY-2")["verdict"].text() == "attention");
}
