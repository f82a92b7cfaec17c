// The HTTP face: sockets, limits and time-outs (cpp-httplib inside). What a request means is its Handler's to say, and
// what stands between it and the socket (TLS or nothing) its AcceptTransport's.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "api/answer.h"
#include "base/transport.h"
#include "metrics/request_metrics.h"

namespace hsmsigner::api {

struct ServerOptions {
  std::string address = "127.0.0.1";  // an IP address; without TLS, one of loopback (see HttpServer::bind)
  int port = 8080;                    // 0: any free one
  std::size_t max_connections = 512;  // one thread each, made on demand
  std::size_t max_body_bytes = 1 << 20;
  std::chrono::milliseconds read_timeout{10000};
  std::chrono::milliseconds write_timeout{10000};
  std::chrono::milliseconds keep_alive_timeout{15000};
  std::chrono::milliseconds request_timeout{60000};  // for the token and the store, from the moment the body is read
};

// What is wrong with an address to listen on, to be read after its setting's name; nothing for a good one.
std::optional<std::string> fault_of_listen_address(const std::string& address, bool tls);

class HttpServer {
 public:
  // What the handler and the transport use outlives this object, and so do the metrics, which have request_labels().
  // A transport's handshake has the read time-out, once the peer has sent something; it ends early when its thread is
  // needed.
  HttpServer(ServerOptions options, Handler handler, AcceptTransport accept, metrics::RequestMetrics& metrics);
  ~HttpServer();

  // Binds and listens; connections are accepted by the kernel from here on. Returns the port. Throws
  // Error{invalid_object} naming server.address when it is not loopback and there is no TLS, or Error{internal_error}
  // when the port is taken.
  int bind();
  // "https://[::1]:8443", once bound.
  std::string url() const;
  // Serves until stop(); returns once requests under way are answered. Call it once, after bind().
  void run();
  // From any thread, not from a signal handler: stops accepting, lets requests under way finish, ends idle
  // connections.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hsmsigner::api
