// A token that fails or lies, and what is never told.
#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "system/server.h"

using namespace system_test;
using test_support::read_file;

namespace {

ServerOptions with_faults() {
  ServerOptions options;
  options.faults = true;
  return options;
}

// opensc's logging module, which shows what a program asks of a token.
std::string spy_module() {
  for (const char* path : {"/usr/lib/x86_64-linux-gnu/pkcs11-spy.so", "/usr/lib/x86_64-linux-gnu/pkcs11/pkcs11-spy.so",
                           "/usr/lib/aarch64-linux-gnu/pkcs11-spy.so",
                           "/usr/lib/aarch64-linux-gnu/pkcs11/pkcs11-spy.so", "/usr/lib64/pkcs11-spy.so"}) {
    if (std::filesystem::exists(path)) return path;
  }
  return "";
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t result = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++result;
  return result;
}

// "" when this user may not read it, which hides it just as well.
std::string proc_file(pid_t pid, const std::string& name) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/" + name, std::ios::binary);
  std::ostringstream content;
  if (in) content << in.rdbuf();
  return content.str();
}

}  // namespace

TEST_CASE("a token that reports another attribute: an error, the key destroyed, nothing recorded") {
  const ServerFixture server(with_faults());
  struct Row {
    const char* report;
    const char* block;
  };
  for (const Row& row :
       {Row{"extractable:true", "true"}, Row{"never_extractable:false", "true"}, Row{"always_sensitive:false", "true"},
        Row{"sensitive:false", "true"}, Row{"local:false", "true"}, Row{"extractable:false", "false"},
        Row{"never_extractable:true", "false"}, Row{"always_sensitive:false", "false"}, Row{"local:false", "false"}}) {
    for (const char* algorithm : {R"({"ecdsa_number_of_bits":256})", R"({"rsa_number_of_bits":1024})"}) {
      CAPTURE(row.report);
      CAPTURE(algorithm);
      server.plan("C_GetAttributeValue report=" + std::string(row.report) + "\n");
      const Reply reply =
          server.generate(certificate("x").set("is_block_privateKey", row.block).set("algorithm", algorithm));
      check_error(reply, 500, "E500", "Internal Error");
      server.plan("");
      CHECK(server.keys() == 0);
      CHECK(server.rows() == 0);
    }
  }
  CHECK(server.generate(certificate("x")).status == 201);
}

TEST_CASE("a token that fails while a key is made or used: an error, no key, no row") {
  const ServerFixture server(with_faults());
  struct Row {
    const char* plan;
    int status;
    const char* code;
    const char* message;
  };
  for (const Row& row : {Row{"C_GenerateKeyPair rv=CKR_DEVICE_MEMORY", 503, "E503", "Token Unavailable"},
                         Row{"C_Sign rv=CKR_FUNCTION_FAILED", 500, "E500", "Internal Error"},
                         Row{"C_Sign rv=CKR_DEVICE_MEMORY", 503, "E503", "Token Unavailable"},
                         Row{"C_GenerateKeyPair rv=CKR_ATTRIBUTE_VALUE_INVALID", 500, "E500", "Internal Error"}}) {
    CAPTURE(row.plan);
    server.plan(std::string(row.plan) + "\n");
    const Reply reply = server.generate(certificate("x"));
    check_error(reply, row.status, row.code, row.message);
    // Of the token's own words nothing gets out.
    CHECK(reply.body.find("CKR_") == std::string::npos);
    CHECK(reply.body.find("C_") == std::string::npos);
    server.plan("");
    CHECK(server.keys() == 0);
    CHECK(server.rows() == 0);
  }
  CHECK(server.generate(certificate("x")).status == 201);
}

TEST_CASE("a certificate makes the same few calls however many keys there are, and searches for none") {
  const ServerFixture server(with_faults());
  server.must_generate(certificate("root").set("is_certificate_authority", "true"));
  server.must_generate(certificate("first").text("signed_by", "root"));  // now the authority's handle is known
  struct Row {
    const char* function;
    std::size_t each;
  };
  // Serial numbers are fetched ahead, 64 in one C_GenerateRandom: tests/system/pool_test.cc counts them.
  const Row rows[] = {{"C_GenerateKeyPair", 1},
                      {"C_SignInit", 1},
                      {"C_Sign", 1},
                      // The public half's value; the private half's attributes, and then the curve.
                      {"C_GetAttributeValue", 3},
                      {"C_DestroyObject", 1},
                      {"C_FindObjectsInit", 0},
                      {"C_OpenSession", 0},
                      {"C_Login", 0}};
  for (const int keys : {0, 40}) {
    CAPTURE(keys);
    for (int i = 0; i < keys; ++i) server.must_generate(certificate("fill " + std::to_string(i)));
    std::vector<std::size_t> before;
    for (const Row& row : rows) before.push_back(server.faults().calls(row.function));
    constexpr std::size_t kCertificates = 10;
    for (std::size_t i = 0; i < kCertificates; ++i) {
      server.must_generate(certificate(std::to_string(keys) + "-" + std::to_string(i)).text("signed_by", "root"));
    }
    for (std::size_t i = 0; i < std::size(rows); ++i) {
      CAPTURE(std::string(rows[i].function));
      CHECK(server.faults().calls(rows[i].function) - before[i] == kCertificates * rows[i].each);
    }
  }
}

TEST_CASE("an issuer whose key has gone from the token signs nothing, and nothing is left of the attempt") {
  const ServerFixture server;
  const Json root = server.must_generate(certificate("root").set("is_certificate_authority", "true"));
  std::string id = root["id"].text();
  std::erase(id, '-');
  server.token().pkcs11_tool({"--delete-object", "--type", "privkey", "--id", id});
  REQUIRE(server.keys() == 0);
  const Reply reply = server.generate(certificate("leaf").text("signed_by", "root"));
  check_error(reply, 503, "E503", "Token Unavailable");
  CHECK(server.keys() == 0);
  CHECK(server.rows() == 1);
}

TEST_CASE("a wrong PIN: one attempt, a clear sentence, a non-zero exit") {
  const std::string spy = spy_module();
  if (spy.empty()) {
    MESSAGE("test skipped: opensc-pkcs11 (pkcs11-spy.so) is not installed");
    return;
  }
  ServerOptions options;
  options.settings["token.module"] = quote(spy);
  ServerFixture server(options, false);
  server.state().write("pin", "9999-wrong\n");
  const std::string log = server.state().file("spy");
  server.set_environment("PKCS11SPY", test_support::SoftHsm::module_path());
  server.set_environment("PKCS11SPY_OUTPUT", log);
  const test_support::CommandResult result = server.run_to_end();
  INFO(result.out);
  CHECK(result.exit_code > 0);
  CHECK(result.exit_code < 126);
  CHECK(result.out.find("PIN") != std::string::npos);
  CHECK(result.out.find("9999-wrong") == std::string::npos);
  CHECK(result.out.find("ready http") == std::string::npos);
  CHECK(count(read_file(log), ": C_Login\n") == 1);

  // The token was not asked again and is not locked.
  server.state().write("pin", server.token().pin() + "\n");
  server.start();
  CHECK(server.generate(certificate("x")).status == 201);
}

TEST_CASE("configurations that cannot work end with a sentence that names the setting") {
  struct Row {
    const char* setting;
    const char* value;
    const char* says;
  };
  for (const Row& row :
       {Row{"token.label", "\"no such token\"", "no such token"},
        Row{"token.module", "\"/nonexistent/module.so\"", "module"},
        Row{"token.pin_file", "\"/nonexistent/pin\"", "pin"},
        Row{"store.path", "\"/nonexistent/store.sqlite\"", "store"}, Row{"server.prot", "8080", "server.prot"},
        Row{"servr.port", "8080", "servr"}, Row{"server.port", "\"x\"", "server.port"},
        Row{"server.port", "65536", "server.port"}, Row{"log.level", "\"loud\"", "log.level"},
        Row{"token.sessions", "0", "token.sessions"}, Row{"token.pin", "\"4321-test\"", "token.pin"}}) {
    CAPTURE(row.setting);
    ServerOptions options;
    options.settings[row.setting] = row.value;
    ServerFixture server(options, false);
    const test_support::CommandResult result = server.run_to_end();
    INFO(result.out);
    CHECK(result.exit_code > 0);
    CHECK(result.exit_code < 126);
    CHECK(result.out.find(row.says) != std::string::npos);
    CHECK(result.out.find("4321-test") == std::string::npos);
  }
}

TEST_CASE("a PIN file that others may read is refused") {
  ServerFixture server({}, false);
  std::filesystem::permissions(server.state().file("pin"), std::filesystem::perms(0644));
  const test_support::CommandResult result = server.run_to_end();
  INFO(result.out);
  CHECK(result.exit_code > 0);
  CHECK(result.out.find("ready http") == std::string::npos);
}

TEST_CASE("the PIN is nowhere: not in the output, the arguments, the environment, the answers") {
  for (const bool from_environment : {false, true}) {
    CAPTURE(from_environment);
    ServerOptions options;
    options.settings["log.level"] = "\"debug\"";
    if (from_environment) {
      options.settings["token.pin_file"] = "";
      options.settings["token.pin_env"] = "\"TEST_TOKEN_PIN\"";
      options.environment["TEST_TOKEN_PIN"] = "4321-test";
    }
    ServerFixture server(options);
    const std::string pin = server.token().pin();
    REQUIRE(pin == "4321-test");
    const std::string answers = server.generate(certificate("x")).body + server.get("/certificates").body +
                                server.generate(certificate("x")).body;
    const pid_t pid = server.process().pid();
    const std::string limits = proc_file(pid, "limits");
    CHECK(answers.find(pin) == std::string::npos);
    CHECK(proc_file(pid, "cmdline").find(pin) == std::string::npos);
    CHECK(proc_file(pid, "environ").find(pin) == std::string::npos);
    // No core dump may hold it either.
    std::istringstream lines(limits);
    bool found = false;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("Max core file size")) continue;
      found = true;
      std::istringstream words(line.substr(std::string("Max core file size").size()));
      std::string soft;
      std::string hard;
      words >> soft >> hard;
      CHECK(soft == "0");
      CHECK(hard == "0");
    }
    CHECK(found);
    CHECK(server.stop(SIGTERM) == 0);
    CHECK(server.output().find(pin) == std::string::npos);
  }
}

TEST_CASE("every request stands in the log under its request id") {
  ServerFixture server;
  const Reply made = server.generate(certificate("x"));
  const Reply refused = server.generate(certificate("x"));
  REQUIRE(made.status == 201);
  CHECK(server.stop(SIGTERM) == 0);
  CHECK(server.output().find(made.header("x-request-id")) != std::string::npos);
  CHECK(server.output().find(refused.header("x-request-id")) != std::string::npos);
}

TEST_CASE("the store and its neighbours are for the owner alone") {
  const ServerFixture server;
  server.must_generate(certificate("x"));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(server.state().path())) {
    if (!entry.path().filename().string().starts_with("hsm-signer.sqlite")) continue;
    ++files;
    CAPTURE(entry.path().string());
    CHECK((entry.status().permissions() & std::filesystem::perms(077)) == std::filesystem::perms::none);
  }
  CHECK(files >= 1);
}
