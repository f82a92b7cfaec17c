#include "syslog_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstring>
#include <regex>
#include <stdexcept>

namespace service_test {
namespace {

using hsmsigner::FileDescriptor;

bool readable(const FileDescriptor& socket, int milliseconds) {
  pollfd entry{socket.get(), POLLIN, 0};
  return ::poll(&entry, 1, milliseconds) > 0;
}

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

std::uint16_t bind_loopback(const FileDescriptor& socket, std::uint16_t port) {
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  require(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  require(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
  return ntohs(address.sin_port);
}

}  // namespace

DatagramReceiver::DatagramReceiver(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  const int room = 4 << 20;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  port_ = bind_loopback(socket_, port);
}

DatagramReceiver::DatagramReceiver(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ::unlink(path.c_str());
  require(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
}

std::string DatagramReceiver::next(int milliseconds) const {
  if (!readable(socket_, milliseconds)) return "";
  std::string text(1 << 20, '\0');
  const ssize_t count = ::recv(socket_.get(), text.data(), text.size(), 0);
  require(count >= 0, "recv");
  text.resize(static_cast<std::size_t>(count));
  return text;
}

StreamReceiver::StreamReceiver(std::uint16_t port, int window)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (window != 0) ::setsockopt(listener_.get(), SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
  port_ = bind_loopback(listener_, port);
  require(::listen(listener_.get(), 4) == 0, "listen");
}

bool StreamReceiver::accept(int milliseconds) {
  buffer_.clear();
  if (!readable(listener_, milliseconds)) return false;
  connection_ = FileDescriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return connection_.is_open();
}

void StreamReceiver::hang_up() { connection_.reset(); }

bool StreamReceiver::fill(int milliseconds) {
  if (!connection_.is_open() || !readable(connection_, milliseconds)) return false;
  char block[65536];
  const ssize_t count = ::recv(connection_.get(), block, sizeof block, 0);
  if (count <= 0) return false;
  buffer_.append(block, static_cast<std::size_t>(count));
  return true;
}

std::string StreamReceiver::next(int milliseconds) {
  static const std::regex length_form("^([1-9][0-9]{0,9}) ");
  for (;;) {
    std::smatch match;
    const std::string beginning = buffer_.substr(0, 12);
    if (std::regex_search(beginning, match, length_form)) {
      const auto begin = static_cast<std::size_t>(match.length(0));
      const std::size_t size = std::stoul(match[1]);
      if (buffer_.size() >= begin + size) {
        std::string message = buffer_.substr(begin, size);
        buffer_.erase(0, begin + size);
        return message;
      }
    } else if (buffer_.size() > 11) {
      return "";
    }
    if (!fill(milliseconds)) return "";
  }
}

// RFC 5424 section 6, its ABNF as far as this sender goes.
ReceivedMessage parse_message(const std::string& message) {
  ReceivedMessage parsed;
  static const std::regex form(
      "<([0-9]{1,3})>1 (-|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z) "
      "([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) "
      "\\[journal@32473 sequence=\"([0-9]+)\" hash=\"([0-9a-f]{64})\"\\]");
  std::smatch match;
  const std::string head = message.substr(0, std::min<std::size_t>(message.find(']') + 1, 1000));
  if (!std::regex_match(head, match, form)) {
    parsed.fault = "no RFC 5424 header: " + message.substr(0, 300);
    return parsed;
  }
  parsed.priority = std::stoi(match[1]);
  parsed.time = match[2];
  parsed.host = match[3];
  parsed.application = match[4];
  parsed.process = match[5];
  parsed.kind = match[6];
  parsed.sequence = match[7];
  parsed.hash = match[8];
  if (message.size() == head.size()) return parsed;
  if (message[head.size()] != ' ') parsed.fault = "no blank before the message";
  parsed.text = message.substr(head.size() + 1);
  return parsed;
}

}  // namespace service_test
