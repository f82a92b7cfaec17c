// The HTTP face: sockets, limits and time-outs (cpp-httplib inside). What a request means stands in api/routes.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "service/catalogue.h"
#include "service/generation.h"

namespace hsmsigner::api {

struct ServerOptions {
  std::string address = "127.0.0.1";  // an IP address; anything but loopback is refused (see HttpServer::bind)
  int port = 8080;                    // 0: any free one
  std::size_t max_connections = 512;  // one thread each, made on demand
  std::size_t max_body_bytes = 1 << 20;
  std::chrono::milliseconds read_timeout{10000};
  std::chrono::milliseconds write_timeout{10000};
  std::chrono::milliseconds keep_alive_timeout{15000};
  std::chrono::milliseconds request_timeout{60000};  // for the token and the store, from the moment the body is read
};

// What is wrong with an address to listen on, to be read after its setting's name; nothing for a good one.
std::optional<std::string> fault_of_listen_address(const std::string& address);

class HttpServer {
 public:
  // The services outlive this object.
  HttpServer(ServerOptions options, service::Generation& generation, service::Catalogue& catalogue);
  ~HttpServer();

  // Binds and listens; connections are accepted by the kernel from here on. Returns the port. Throws
  // Error{invalid_object} naming server.address when it is not loopback (there is no authentication yet) or
  // Error{internal_error} when the port is taken.
  int bind();
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
