// The HTTP server with TLS in front of a handler of the tests, and clients of it.
#pragma once

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "api/http_server.h"
#include "api/request_labels.h"
#include "support/command.h"
#include "tls/authority.h"
#include "tls/context.h"

namespace tls_test {

// GET /: who the peer is. GET /big: kBigAnswer octets. GET /nobody, /expired, /slower: errors. POST: the body's size.
constexpr std::size_t kBigAnswer = 3'000'000;

class TestServer {
 public:
  explicit TestServer(hsmsigner::AcceptTransport accept, hsmsigner::api::ServerOptions options = {});
  explicit TestServer(const hsmsigner::tls::Context& context, hsmsigner::api::ServerOptions options = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  int port() const { return port_; }
  std::string url(const std::string& path = "/") const { return "https://localhost:" + std::to_string(port_) + path; }

 private:
  hsmsigner::metrics::RequestMetrics metrics_{hsmsigner::api::request_labels()};
  hsmsigner::api::HttpServer server_;
  int port_ = 0;
  std::thread thread_;
};

// With the authority's own certificate for a server.
hsmsigner::tls::ContextOptions options_for(const Authority::Issued& issued);

// curl with these arguments beside the trusted authority; at most ten seconds.
test_support::CommandResult curl(const Authority& authority, const std::vector<std::string>& arguments,
                                 const std::string& input = "");
// openssl s_client, which asks for "/" and ends.
test_support::CommandResult s_client(const Authority& authority, int port, const std::vector<std::string>& arguments);

// A TCP connection to the server. Sends the octets, if any; what the server sends until it closes, and how long that
// took. With an interval, sends zeros one by one after them.
struct Raw {
  std::string received;
  std::chrono::milliseconds took;
  bool closed = false;  // false: the server was still there after ten seconds
};
Raw talk(int port, const std::string& octets, std::chrono::milliseconds interval = {});

}  // namespace tls_test
