// Connections: nobody starves, nobody holds a thread by being slow, and the limits hold.
#include <doctest/doctest.h>
#include <httplib.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "system/server.h"

using namespace system_test;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// Once more where the server closed an idle connection while the request was on its way, as clients do with what is
// idempotent (RFC 9110 9.2.2, RFC 9112 9.3.1).
int get(httplib::Client& client) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (const auto result = client.Get("/certificates")) return result->status;
  }
  return 0;
}

std::unique_ptr<httplib::Client> keep_alive_client(const ServerFixture& server) {
  auto client = std::make_unique<httplib::Client>("127.0.0.1", server.port());
  client->set_keep_alive(true);
  client->set_read_timeout(10);
  client->set_default_headers({{"Authorization", server.bearer()}});
  return client;
}

ServerFixture with(std::map<std::string, std::string> settings) {
  ServerOptions options;
  options.settings = std::move(settings);
  return ServerFixture(std::move(options));
}

}  // namespace

TEST_CASE("one thread serves many kept-alive clients in turn, idle and busy ones") {
  const ServerFixture server = with({{"server.max_connections", "1"}});
  std::vector<std::unique_ptr<httplib::Client>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(keep_alive_client(server));
  for (int round = 0; round < 3; ++round) {
    for (auto& client : clients) {
      const auto begin = steady_clock::now();
      CHECK(get(*client) == 200);
      CHECK(steady_clock::now() - begin < std::chrono::seconds(5));
    }
  }
  // All at once, each asking again and again: none waits for another to go away.
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> threads;
    for (auto& client : clients) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) answered += get(*client) == 200 ? 1 : 0;
      });
    }
  }
  CHECK(answered == 160);
}

TEST_CASE("a kept-alive connection stays while nobody needs its thread") {
  const ServerFixture server = with({});
  auto client = keep_alive_client(server);
  for (int i = 0; i < 10; ++i) {
    const auto result = client->Get("/certificates");
    REQUIRE(result);
    CHECK(result->get_header_value("Connection") != "close");
    CHECK(result->has_header("Date"));
  }
}

TEST_CASE("a request that comes too slowly ends at its deadline") {
  const ServerFixture server = with({{"server.read_timeout_ms", "400"}, {"server.keep_alive_timeout_ms", "400"}});
  struct Row {
    const char* name;
    std::string octets;
  };
  const std::string post = "POST /certificates HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
                           server.authorization_line() + "\r\n";
  const Row rows[] = {
      {"nothing", ""},
      {"empty lines", "\r\n\r\n"},
      {"half an empty line", "\r"},
      {"half a head", "GET /certificates HTTP/1.1\r\nHost: local"},
      {"half a body", post + "Content-Length: 100\r\n\r\n{"},
      {"half a chunked body", post + "Transfer-Encoding: chunked\r\n\r\n5\r\n{"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto begin = steady_clock::now();
    const std::string answer = exchange_raw(server.port(), row.octets);
    CHECK(steady_clock::now() - begin < milliseconds(3500));
    INFO("answer: " << answer);
    CHECK((answer.empty() || answer.find("HTTP/1.1 400") == 0));
    CHECK((answer.empty() || answer.find("Malformed Command") != std::string::npos));
  }
  CHECK(server.get("/certificates").status == 200);
}

TEST_CASE("an empty line before a request is no fault (RFC 9112 2.2)") {
  const ServerFixture server = with({});
  const std::string answer =
      exchange_raw(server.port(), "\r\nGET /certificates HTTP/1.1\r\nHost: localhost\r\n" +
                                      server.authorization_line() + "\r\nConnection: close\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200"));
}

TEST_CASE("requests that hide in another's body are not served") {
  const ServerFixture server = with({});
  const std::string hidden = "GET /certificates?hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const std::string& octets :
       {// Refused without reading the body: the connection ends, whatever follows.
        "PUT /certificates HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(hidden.size()) +
            "\r\n\r\n" + hidden,
        "GET /certificates HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(hidden.size()) +
            "\r\n\r\n" + hidden,
        "GET /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden}) {
    const std::string answers = exchange_raw(server.port(), octets);
    CAPTURE(answers);
    std::size_t count = 0;
    for (std::size_t at = answers.find("HTTP/1.1 "); at != std::string::npos; at = answers.find("HTTP/1.1 ", at + 1)) {
      ++count;
    }
    CHECK(count == 1);
  }
}

TEST_CASE("busy clients do not hold up the end: the drain closes their connections after an answer") {
  ServerFixture server = with({});
  std::atomic<bool> stop = false;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, client = std::shared_ptr<httplib::Client>(keep_alive_client(server))] {
      while (!stop && get(*client) == 200) continue;
    });
  }
  std::this_thread::sleep_for(milliseconds(300));
  const auto begin = steady_clock::now();
  CHECK(server.stop(SIGTERM) == 0);
  CHECK(steady_clock::now() - begin < std::chrono::seconds(10));
  stop = true;
}
