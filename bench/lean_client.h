// One kept-alive HTTP/1.1 connection that costs next to nothing: what is measured with it is the server.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hsmsigner::bench {

// "http://127.0.0.1:8080" to its address and port. Throws std::runtime_error for anything but an IPv4 address.
struct Endpoint {
  std::string address;
  unsigned short port = 0;
};
Endpoint endpoint_of(const std::string& url);

// A request without a body unless one is given.
std::string request_text(std::string_view method, std::string_view target, const std::string& authorization,
                         std::string_view body = {});

// Everything throws std::runtime_error when the connection breaks or the answer has no Content-Length.
class LeanClient {
 public:
  explicit LeanClient(const Endpoint& endpoint);
  ~LeanClient();
  LeanClient(const LeanClient&) = delete;
  LeanClient& operator=(const LeanClient&) = delete;

  int socket() const noexcept { return socket_; }

  // Sends a request; it must fit into the socket's buffer.
  void send(std::string_view request);
  // Takes what has arrived, without waiting. True once the answer is whole.
  bool receive();
  // Waits for the whole answer, at most 60 s.
  void wait();

  // Of the last whole answer; views are good until the next send().
  int status() const;
  std::string_view body() const;

 private:
  int socket_;
  std::string received_;
  std::size_t head_end_ = 0;  // 0: not there yet
  std::size_t whole_ = 0;
};

}  // namespace hsmsigner::bench
