// The pool of keys as a server's users meet it: requests served from it, its fill, restarts, and the command beside it.
#include <doctest/doctest.h>

#include <csignal>
#include <set>
#include <thread>

#include "system/server.h"

using namespace system_test;

namespace {

ServerOptions with_pool(const std::string& classes, bool faults = false) {
  ServerOptions options;
  options.faults = faults;
  options.settings["pool.enabled"] = "\"on\"";
  options.settings["pool.classes"] = classes;
  return options;
}

// What `pool show` says of the class: "12 keys, 12 of them held by running servers".
std::string shown(const ServerFixture& server, const std::string& key_class = "P-256") {
  const std::string out = server.command({"pool", "show"}).out;
  const std::size_t token = out.find("token ");
  const std::size_t at = token == std::string::npos ? token : out.find("\n  " + key_class + " ", token);
  if (at == std::string::npos) return "";
  const std::string line = out.substr(at + 3, out.find('\n', at + 1) - at - 3);
  return line.substr(line.find_first_not_of(' ', key_class.size()));
}

bool comes_to(const ServerFixture& server, const std::string& text, const std::string& key_class = "P-256") {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (shown(server, key_class) != text) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return true;
}

std::string held(std::size_t keys) {
  return std::to_string(keys) + " keys, " + std::to_string(keys) + " of them held by running servers";
}

}  // namespace

TEST_CASE("a certificate from the pool makes two calls into the token: none makes a key, none searches, none reads") {
  const ServerFixture server(with_pool("[\"P-256:1:30\"]", true));
  REQUIRE(comes_to(server, held(30)));
  server.must_generate(certificate("root").set("is_certificate_authority", "true"));
  server.must_generate(certificate("first").text("signed_by", "root"));  // now the authority's handle is known
  const char* const functions[] = {"C_GenerateKeyPair", "C_GetAttributeValue", "C_DestroyObject",
                                   "C_FindObjectsInit", "C_OpenSession",       "C_Login",
                                   "C_CreateObject",    "C_GetSessionInfo"};
  std::vector<std::size_t> before;
  for (const char* function : functions) before.push_back(server.faults().calls(function));
  const std::size_t inits = server.faults().calls("C_SignInit");
  const std::size_t signatures = server.faults().calls("C_Sign");
  const std::size_t randoms = server.faults().calls("C_GenerateRandom");
  constexpr std::size_t kCertificates = 20;
  std::set<std::string> serials;
  for (std::size_t i = 0; i < kCertificates; ++i) {
    const Json made = server.must_generate(certificate(std::to_string(i)).text("signed_by", "root"));
    serials.insert(made["serial_number"].text());
  }
  CHECK(serials.size() == kCertificates);
  for (std::size_t i = 0; i < std::size(functions); ++i) {
    CAPTURE(functions[i]);
    // The filler may ask for the session's state; nobody else does anything.
    if (std::string(functions[i]) != "C_GetSessionInfo") CHECK(server.faults().calls(functions[i]) == before[i]);
  }
  CHECK(server.faults().calls("C_SignInit") - inits == kCertificates);
  CHECK(server.faults().calls("C_Sign") - signatures == kCertificates);
  CHECK(server.faults().calls("C_GenerateRandom") - randoms <= 1);  // serial numbers, 64 at a time
}

TEST_CASE("a burst is served from the pool, which is then filled again") {
  const ServerFixture server(with_pool("[\"P-256:20:40\"]", true));
  REQUIRE(comes_to(server, held(40)));
  server.must_generate(certificate("root").set("is_certificate_authority", "true"));
  std::vector<std::jthread> clients;
  std::atomic<int> made = 0;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&server, &made, i] {
      for (int j = 0; j < 4; ++j) {
        const std::string name = std::to_string(i) + "-" + std::to_string(j);
        made += server.generate(certificate(name).text("signed_by", "root")).status == 201 ? 1 : 0;
      }
    });
  }
  clients.clear();
  CHECK(made == 32);
  CHECK(comes_to(server, held(40)));
  CHECK(server.keys() == server.rows() + 40);
}

TEST_CASE("a restart keeps the stock, after an orderly end and after a kill") {
  ServerFixture server(with_pool("[\"P-256:1:12\"]"));
  REQUIRE(comes_to(server, held(12)));
  CHECK(server.stop(SIGTERM) == 0);
  CHECK(shown(server) == "12 keys, 0 of them held by running servers");
  server.start();
  CHECK(comes_to(server, held(12)));
  server.must_generate(certificate("x"));
  server.kill();
  server.start();
  CHECK(comes_to(server, held(11)));
  CHECK(server.keys() == server.rows() + 11);
  server.must_generate(certificate("y"));
}

TEST_CASE("pool fill beside a running server: it shows its progress, and the server takes what it made") {
  const ServerFixture server(with_pool("[\"P-256:0:0\"]", true));
  const test_support::CommandResult fill =
      server.command({"pool", "fill", "--class", "P-256", "--count", "30", "--parallel", "3"});
  INFO(fill.out);
  CHECK(fill.exit_code == 0);
  CHECK(fill.out.find("30/30") != std::string::npos);
  CHECK(fill.out.find("30 keys of class P-256 made; the pool has 30 in all") != std::string::npos);
  CHECK(comes_to(server, held(30)));
  // Held is not yet proven.
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const std::size_t generated = server.faults().calls("C_GenerateKeyPair");
  for (int i = 0; i < 10; ++i) server.must_generate(certificate(std::to_string(i)));
  CHECK(server.faults().calls("C_GenerateKeyPair") == generated);
  CHECK(server.keys() == 30);
}

TEST_CASE("pool fill refuses what it cannot do, by the option's name") {
  ServerOptions options = with_pool("[]");
  options.settings["pool.max_keys"] = "5";
  const ServerFixture server(options);
  for (const auto& [arguments, says] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{{{"--class", "P-257", "--count", "1"}, "--class"},
                                                                     {{"--class", "P-256", "--count", "6"}, "--count"},
                                                                     {{"--class", "P-256", "--count", "0"}, "--count"},
                                                                     {{"--class", "P-256"}, "--count"}}) {
    std::vector<std::string> command{"pool", "fill"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const test_support::CommandResult result = server.command(command);
    CHECK(result.exit_code == 2);
    const bool named = result.out.find(says) != std::string::npos;
    CHECK_MESSAGE(named, result.out);
  }
  CHECK(server.keys() == 0);
}

TEST_CASE("few requests teach the pool nothing: no key is made that nobody asked for") {
  ServerOptions options;
  options.settings["pool.enabled"] = "\"on\"";
  const ServerFixture server(options);
  for (int i = 0; i < 5; ++i) server.must_generate(certificate(std::to_string(i)));
  std::this_thread::sleep_for(std::chrono::seconds(3));
  CHECK(server.keys() == 5);
}

TEST_CASE("without a pool no key is made ahead, and requests are served as ever") {
  const ServerFixture server(ServerOptions{.settings = {{"pool.classes", "[\"P-256:5:5\"]"}}, .environment = {}});
  server.must_generate(certificate("x"));
  std::this_thread::sleep_for(std::chrono::seconds(2));
  CHECK(server.keys() == 1);
}

TEST_CASE("token show has the classes with their marks, and a forgotten pool leaves its keys in the token") {
  ServerFixture server(with_pool("[\"P-256:1:4\", \"P-384:0:2\"]"));
  REQUIRE(comes_to(server, held(4)));
  const std::string shown_token = server.command({"token", "show"}).out;
  CHECK(shown_token.find("P-256                4 (low 1, high 4)") != std::string::npos);
  CHECK(shown_token.find("P-384                0 (low 0, high 2)") != std::string::npos);
  CHECK(server.command({"pool", "forget"}).exit_code != 0);
  CHECK(server.stop(SIGTERM) == 0);
  const test_support::CommandResult forgotten = server.command({"pool", "forget"});
  CHECK(forgotten.exit_code == 0);
  CHECK(forgotten.out.find("4 keys taken out of the pool") != std::string::npos);
  CHECK(server.keys() == 4);
  CHECK(shown(server).empty());
}
