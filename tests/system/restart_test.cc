// Ends, wanted and not, and what a second start finds.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <mutex>
#include <thread>

#include "system/server.h"
#include "system/x509.h"

using namespace system_test;

namespace {

std::string key_id(const Json& made) {
  std::string id = made["id"].text();
  std::erase(id, '-');
  return id;
}

}  // namespace

TEST_CASE("SIGTERM and SIGINT end it with 0, and a second start finds everything and its authority still signs") {
  ServerFixture server;
  const Json root = server.must_generate(
      certificate("root").set("is_certificate_authority", "true").set("algorithm", R"({"rsa_number_of_bits":2048})"));
  std::vector<std::string> bodies = {server.get("/certificates/" + root["id"].text()).body};
  int round = 0;
  for (const int signal_number : {SIGTERM, SIGINT}) {
    CAPTURE(signal_number);
    CHECK(server.stop(signal_number) == 0);
    server.start();
    CHECK(server.rows() == bodies.size());
    for (const std::string& body : bodies) {
      CHECK(server.get("/certificates/" + Json::parse(body)["id"].text()).body == body);
    }
    const Reply leaf = server.generate(certificate("leaf " + std::to_string(++round)).text("signed_by", "root"));
    REQUIRE_MESSAGE(leaf.status == 201, leaf.body);
    CHECK(verify(leaf.json()["public_key"].text(), "", root["public_key"].text()) == "");
    bodies.push_back(leaf.body);
    check_error(server.generate(certificate("root")), 409, "E006", "Name Not Unique");
  }
}

TEST_CASE("a request under way when SIGTERM comes is answered, and kept") {
  ServerOptions options;
  options.faults = true;
  ServerFixture server(options);
  server.plan("C_GenerateKeyPair delay_ms=1500\n");
  auto answer = std::async(std::launch::async, [&] { return server.generate(certificate("last")); });
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  CHECK(server.stop(SIGTERM) == 0);
  const Reply reply = answer.get();
  REQUIRE_MESSAGE(reply.status == 201, reply.body);
  server.plan("");
  server.start();
  CHECK(server.get("/certificates/" + reply.json()["id"].text()).status == 200);
}

TEST_CASE("idle clients do not hold up the end") {
  ServerFixture server;
  auto idle = std::async(std::launch::async, [&] {
    return exchange_raw(server.port(), "GET /certificates HTTP/1.1\r\nHost: localhost\r\n");
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto begin = std::chrono::steady_clock::now();
  CHECK(server.stop(SIGTERM) == 0);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
  idle.get();
}

TEST_CASE("SIGKILL under load: every certificate answered 201 is there, with its key") {
  ServerFixture server;
  std::mutex mutex;
  std::vector<Json> answered;
  for (int round = 0; round < 2; ++round) {
    {
      std::vector<std::jthread> clients;
      for (int client = 0; client < 8; ++client) {
        clients.emplace_back([&, client, round, port = server.port(), bearer = server.bearer()] {
          for (int i = 0;; ++i) {
            const std::string name = std::to_string(round) + "-" + std::to_string(client) + "-" + std::to_string(i);
            Body body = certificate(name);
            if (i % 2 == 0) body.set("is_certificate_authority", "true");
            const Reply reply = exchange(port, {"POST",
                                                "/certificates",
                                                {{"Content-Type", "application/json"}, {"Authorization", bearer}},
                                                body.json()});
            if (reply.status != 201) return;
            const std::lock_guard lock(mutex);
            answered.push_back(reply.json());
          }
        });
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1500));
      server.kill();
    }
    REQUIRE(answered.size() >= 8);
    server.start();
  }

  const std::string keys = server.token().pkcs11_tool({"--list-objects", "--type", "privkey"});
  std::vector<const Json*> authorities;
  for (const Json& made : answered) {
    const Reply reply = server.get("/certificates/" + made["id"].text());
    REQUIRE(reply.status == 200);
    CHECK(reply.json()["public_key"].text() == made["public_key"].text());
    CHECK_MESSAGE(keys.find(key_id(made)) != std::string::npos, made["id"].text());
    if (made["ca"].boolean()) authorities.push_back(&made);
  }
  // No row without its key: what was committed and not yet answered has one too.
  CHECK(server.rows() >= answered.size());
  CHECK(server.rows() <= server.keys());

  // Not each of them, for time's sake: the first, the last and some between.
  REQUIRE(authorities.size() >= 2);
  const std::size_t step = std::max<std::size_t>(1, authorities.size() / 12);
  for (std::size_t i = 0; i < authorities.size(); i += step) {
    const Json& issuer = *authorities[authorities.size() - 1 - i];
    const Reply leaf =
        server.generate(certificate("after " + std::to_string(i)).text("signed_by", issuer["id"].text()));
    REQUIRE_MESSAGE(leaf.status == 201, leaf.body);
    CHECK(verify(leaf.json()["public_key"].text(), "", issuer["public_key"].text()) == "");
  }
}
