// While there are no accounts, nobody but this machine may come in.
#include <doctest/doctest.h>

#include "system/server.h"

using namespace system_test;

TEST_CASE("an address that is not loopback is refused, with the reason") {
  for (const char* address : {"0.0.0.0", "::", "192.0.2.1", "10.0.0.1", "2001:db8::1"}) {
    CAPTURE(address);
    ServerOptions options;
    options.settings["server.address"] = quote(address);
    ServerFixture server(options, false);
    const test_support::CommandResult result = server.run_to_end();
    INFO(result.out);
    CHECK(result.exit_code > 0);
    CHECK(result.exit_code < 126);
    CHECK(result.out.find("ready http") == std::string::npos);
    CHECK(result.out.find("server.address") != std::string::npos);
    CHECK(result.out.find("loopback") != std::string::npos);
  }
}

TEST_CASE("a page from elsewhere cannot reach it through a name of its own") {
  const ServerFixture server;
  const std::string port = std::to_string(server.port());
  for (const std::string& host :
       {std::string("evil.example"), "evil.example:" + port, std::string("localhost.evil.example"),
        std::string("192.0.2.1"), std::string("0.0.0.0"), std::string("127.0.0.1.evil.example"),
        std::string("localhost@evil.example")}) {
    CAPTURE(host);
    check_error(server.send({"GET", "/certificates", {{"Host", host}}, ""}), 403, "E007", "Unauthorized");
    check_error(
        server.send(
            {"POST", "/certificates", {{"Host", host}, {"Content-Type", "application/json"}}, certificate("x").json()}),
        403, "E007", "Unauthorized");
  }
  CHECK(server.keys() == 0);
  for (const std::string& host : {std::string("127.0.0.1"), "127.0.0.1:" + port, std::string("localhost"),
                                  "localhost:" + port, "LOCALHOST:" + port, std::string("[::1]:") + port}) {
    CAPTURE(host);
    CHECK(server.send({"GET", "/certificates", {{"Host", host}}, ""}).status == 200);
  }
}
