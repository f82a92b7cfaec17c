#include "lean_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <stdexcept>

namespace hsmsigner::bench {
namespace {

constexpr int kPatienceMilliseconds = 60000;

[[noreturn]] void fail(const char* what) { throw std::runtime_error(std::string("the connection: ") + what); }

template <class Number>
Number number_at(std::string_view text, const char* what) {
  Number number{};
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) fail(what);
  return number;
}

}  // namespace

Endpoint endpoint_of(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  const std::size_t colon = url.rfind(':');
  if (!url.starts_with(kScheme) || colon < kScheme.size()) fail("the URL must be http://ADDRESS:PORT");
  return {url.substr(kScheme.size(), colon - kScheme.size()),
          number_at<unsigned short>(std::string_view(url).substr(colon + 1), "the URL has no port")};
}

std::string request_text(std::string_view method, std::string_view target, const std::string& authorization,
                         std::string_view body) {
  std::string text(method);
  text.append(" ").append(target).append(" HTTP/1.1\r\nHost: bench\r\nAuthorization: ").append(authorization);
  if (!body.empty()) {
    text.append("\r\nContent-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size()));
  }
  return text.append("\r\n\r\n").append(body);
}

LeanClient::LeanClient(const Endpoint& endpoint) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  const int one = 1;
  if (socket_ < 0 || ::inet_pton(AF_INET, endpoint.address.c_str(), &address.sin_addr) != 1 ||
      ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) {
    if (socket_ >= 0) ::close(socket_);
    fail("cannot be made");
  }
}

LeanClient::~LeanClient() { ::close(socket_); }

void LeanClient::send(std::string_view request) {
  received_.clear();
  head_end_ = whole_ = 0;
  if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    fail("a request was not taken");
  }
}

bool LeanClient::receive() {
  char chunk[65536];
  while (true) {
    const ssize_t count = ::recv(socket_, chunk, sizeof chunk, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count <= 0) fail("was ended by the server");
    received_.append(chunk, static_cast<std::size_t>(count));
    if (head_end_ == 0) {
      const std::size_t end = received_.find("\r\n\r\n");
      if (end == std::string::npos) continue;
      constexpr std::string_view kLength = "\r\nContent-Length: ";
      const std::size_t length = std::string_view(received_).substr(0, end).find(kLength);
      if (length == std::string_view::npos) fail("an answer without Content-Length");
      head_end_ = end + 4;
      whole_ =
          head_end_ + number_at<std::size_t>(std::string_view(received_).substr(length + kLength.size(), end - length),
                                             "an answer with a strange Content-Length");
    }
    if (received_.size() >= whole_) return true;
  }
}

void LeanClient::wait() {
  do {
    pollfd waiting{socket_, POLLIN, 0};
    if (::poll(&waiting, 1, kPatienceMilliseconds) == 0) fail("no answer within 60 s");
  } while (!receive());
}

int LeanClient::status() const {
  constexpr std::size_t kVersion = sizeof "HTTP/1.1";
  return received_.size() < kVersion ? 0 : number_at<int>(std::string_view(received_).substr(kVersion), "no status");
}

std::string_view LeanClient::body() const { return std::string_view(received_).substr(head_end_); }

}  // namespace hsmsigner::bench
