#include "api/plain_transport.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace hsmsigner::api {
namespace {

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(int socket) : socket_(socket) {}
  ~PlainTransport() override { ::close(socket_); }
  PlainTransport(const PlainTransport&) = delete;
  PlainTransport& operator=(const PlainTransport&) = delete;

  ssize_t receive(char* data, std::size_t size, Deadline deadline) override {
    while (true) {
      const ssize_t count = ::recv(socket_, data, size, MSG_DONTWAIT);
      if (count >= 0) return count;
      if (errno == EINTR) continue;
      if (errno != EAGAIN || !wait_for_socket(socket_, POLLIN, deadline)) return -1;
    }
  }

  bool send(const char* data, std::size_t size, Deadline deadline) override {
    while (size > 0) {
      const ssize_t count = ::send(socket_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count > 0) {
        data += count;
        size -= static_cast<std::size_t>(count);
      } else if (errno != EINTR && (errno != EAGAIN || !wait_for_socket(socket_, POLLOUT, deadline))) {
        return false;
      }
    }
    return true;
  }

  bool end_sending(Deadline) override { return ::shutdown(socket_, SHUT_WR) == 0; }
  int socket() const noexcept override { return socket_; }

 private:
  const int socket_;
};

}  // namespace

AcceptTransport plain_transport() {
  return {[](int socket) { return std::make_unique<PlainTransport>(socket); }, false};
}

}  // namespace hsmsigner::api
