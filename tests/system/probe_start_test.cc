// A server and the token it is given: it serves only with one that keeps its keys, or that is accepted by name. And
// `hsm-signer token probe`.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "support/nss_database.h"
#include "system/server.h"

using namespace system_test;

namespace {

// The token says of its keys that they cannot be taken out, and gives them out (tests/support/fault_module/plan.h).
const std::string kLeaks =
    "C_GenerateKeyPair set=extractable:true\n"
    "C_GetAttributeValue report=extractable:false\n"
    "C_GetAttributeValue report=never_extractable:true\n";

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string field(const std::string& output, const std::string& name) {
  const std::string before = "\"" + name + "\":\"";
  const std::size_t at = output.find(before);
  REQUIRE_MESSAGE(at != std::string::npos, output);
  const std::size_t begin = at + before.size();
  return output.substr(begin, output.find('"', begin) - begin);
}

// From the store, by another program.
std::string journal_of(const ServerFixture& server) {
  return test_support::must_run({"sqlite3", server.state().file("hsm-signer.sqlite"),
                                 "SELECT line FROM event WHERE kind = 'token_probed' ORDER BY sequence"});
}

ServerOptions with_faults() {
  ServerOptions options;
  options.faults = true;
  return options;
}

}  // namespace

TEST_CASE("a token that keeps its keys is probed at each start, and the journal says so") {
  ServerFixture server;
  CHECK(says(server.output(), "the token keeps its keys"));
  CHECK(server.stop(SIGTERM) == 0);
  const std::string journal = journal_of(server);
  INFO(journal);
  CHECK(says(journal, "\"verdict\":\"keeps_keys\""));
  CHECK(says(journal,
             "\"p_256\":\"keeps_keys: C_GetAttributeValue CKR_ATTRIBUTE_SENSITIVE, C_WrapKey "
             "CKR_KEY_UNEXTRACTABLE"));
  CHECK(says(journal, "\"rsa_2048\":\"keeps_keys: "));
  CHECK_FALSE(says(journal, "accepted"));
}

TEST_CASE("a token that gives keys out is not served with, unless it is accepted by its own name") {
  ServerFixture server(with_faults(), false);
  server.plan(kLeaks);
  test_support::CommandResult result = server.run_to_end();
  INFO(result.out);
  CHECK(result.exit_code == 1);
  CHECK_FALSE(says(result.out, "ready "));
  CHECK(says(result.out, "the token does not keep its keys"));
  CHECK(says(result.out, "C_WrapKey CKM_AES_KEY_WRAP_PAD: CKR_OK (LEAKED)"));
  CHECK(says(result.out, "hsm-signer token probe"));
  const std::string serial = field(result.out, "serial");
  CHECK(says(result.out, "token.accept_leaking_token = \"" + serial + "\""));
  CHECK(says(journal_of(server), "\"outcome\":\"refused\""));
  CHECK(server.token().count_objects() == 0);

  // The label is no name of a token that has a serial number, nor is another's.
  for (const std::string& name : {server.token().label(), std::string("0123456789abcdef"), std::string()}) {
    CAPTURE(name);
    server.set("token.accept_leaking_token", "\"" + name + "\"");
    result = server.run_to_end();
    CHECK(result.exit_code == 1);
    CHECK(says(result.out, "the token does not keep its keys"));
  }

  server.set("token.accept_leaking_token", "\"" + serial + "\"");
  server.start();
  CHECK(says(server.output(), "accepted although it was not shown to keep its keys"));
  // And evidence on its keys says so, whatever their attributes are.
  const Json made = server.must_generate(Body()
                                             .text("certificate_name", "leaky")
                                             .text("common_name", "leaky.example.com")
                                             .text("folder", "My")
                                             .set("algorithm", R"({"ecdsa_number_of_bits":256})")
                                             .text("digest", "sha256")
                                             .text("signed_by", ""));
  CHECK(server.get("/certificates/" + made["id"].text() + "/evidence").status == 200);
  CHECK(server.stop(SIGTERM) == 0);
  CHECK(says(test_support::must_run({"sqlite3", server.state().file("hsm-signer.sqlite"),
                                     "SELECT line FROM event WHERE kind = 'evidence_given'"}),
             "\"failed\":\"token_keeps_keys\""));
  CHECK(says(journal_of(server), "\"accepted\":\"true\""));
}

TEST_CASE("a token of which nothing can be shown is not served with either") {
  ServerFixture server(with_faults(), false);
  server.plan("C_GenerateKeyPair rv=CKR_FUNCTION_FAILED\n");
  test_support::CommandResult result = server.run_to_end();
  INFO(result.out);
  CHECK(result.exit_code == 1);
  CHECK(says(result.out, "it cannot be shown that the token keeps its keys"));
  CHECK(says(result.out, "CKR_FUNCTION_FAILED"));
  CHECK(says(journal_of(server), "\"verdict\":\"inconclusive\""));
  server.plan("");
  server.start();
  CHECK(says(server.output(), "the token keeps its keys"));
}

TEST_CASE("token probe: a table, a conclusion and an exit code for each of the three") {
  ServerFixture server(with_faults());
  test_support::CommandResult result = server.command({"token", "probe"});
  CHECK_MESSAGE(result.exit_code == 0, result.out);
  for (const char* algorithm : {"RSA-512", "RSA-1024", "RSA-2048", "RSA-3072", "RSA-4096", "P-256", "P-384", "P-521"}) {
    CAPTURE(algorithm);
    CHECK(says(result.out, std::string("probing with a key of ") + algorithm + " ..."));
    CHECK(says(result.out, std::string("\n") + algorithm + ": keeps its keys\n"));
  }
  CHECK(says(result.out, "0x6a CKR_KEY_UNEXTRACTABLE"));
  CHECK(says(result.out, "conclusion: keeps its keys"));

  server.plan(kLeaks);
  result = server.command({"token", "probe", "--quick"});
  CHECK_MESSAGE(result.exit_code == 1, result.out);
  CHECK(says(result.out, "conclusion: does not keep its keys"));
  CHECK_FALSE(says(result.out, "RSA-4096"));

  server.plan("C_GenerateKeyPair rv=CKR_FUNCTION_FAILED\n");
  result = server.command({"token", "probe", "--quick"});
  CHECK_MESSAGE(result.exit_code == 2, result.out);
  CHECK(says(result.out, "conclusion: inconclusive"));
  server.plan("");
  CHECK(server.keys() == 0);
}

TEST_CASE("token probe and report clear away after SIGTERM and SIGINT, and say by their exit code what ended them") {
  ServerFixture server(with_faults());
  server.plan("C_WrapKey delay_ms=300\n");
  const test_support::TemporaryDirectory directory;
  const auto ended_by = [&](const std::string& signal, std::vector<std::string> arguments) {
    // Not to the whole group: two signals end it at once.
    arguments.insert(arguments.begin(),
                     {"timeout", "--foreground", "--preserve-status", "--signal=" + signal, "2", program()});
    arguments.insert(arguments.end(), {"--config", server.config_file()});
    return test_support::run_command(arguments, "", server.environment());
  };
  const std::size_t keys = server.keys();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"token", "probe"}, {"report", "--output", directory.file("report.html")}}) {
    test_support::CommandResult result = ended_by("TERM", arguments);
    CHECK_MESSAGE(result.exit_code == 143, result.out);
    CHECK(says(result.out, "interrupted"));
    result = ended_by("INT", arguments);
    CHECK_MESSAGE(result.exit_code == 130, result.out);
    CHECK(server.keys() == keys);
  }
  CHECK_FALSE(std::filesystem::exists(directory.file("report.html")));
  // Of one that is killed the key stays until it is too old to be another's (tests/hsm/probe_test.cc).
  ended_by("KILL", {"token", "probe"});
  CHECK(server.keys() == keys + 1);
}

TEST_CASE("NSS softokn is not served with") {
  if (const auto reason = test_support::NssDatabase::why_not()) {
    MESSAGE("test skipped: " << *reason);
    return;
  }
  const test_support::NssDatabase nss;
  ServerOptions options;
  options.settings["token.module"] = "\"" + test_support::NssDatabase::module_path() + "\"";
  options.settings["token.module_init"] = "\"" + nss.module_init() + "\"";
  options.settings["token.label"] = "\"" + nss.label() + "\"";
  // It leaks, and unloads what leaked before a sanitised program could tell whose it is.
  options.environment["LSAN_OPTIONS"] = "detect_leaks=0";
  ServerFixture server(options, false);
  const test_support::CommandResult result = server.run_to_end();
  INFO(result.out);
  CHECK(result.exit_code == 1);
  CHECK(says(result.out, "the token does not keep its keys"));
  CHECK(says(result.out, "open to the private key itself, which signs"));
}
