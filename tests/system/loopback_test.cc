// Without TLS, nobody but this machine may come in.
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

TEST_CASE("a page from elsewhere that reaches it under a name of its own has no credential") {
  const ServerFixture server;
  for (const std::string& host : {std::string("evil.example"), std::string("127.0.0.1.evil.example")}) {
    CAPTURE(host);
    check_error(server.send({"GET", "/certificates", {{"Host", host}, {"Authorization", "none"}}, ""}), 401, "E016",
                "Not Authenticated");
    CHECK(server.send({"GET", "/certificates", {{"Host", host}}, ""}).status == 200);
  }
  CHECK(server.keys() == 0);
}
