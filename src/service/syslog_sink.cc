#include "service/syslog_sink.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "base/error.h"
#include "base/log.h"

namespace hsmsigner::service {
namespace {

// How often the kernel is asked whether the receiver has acknowledged: there is no event for it.
constexpr std::chrono::milliseconds kAcknowledgementTick{5};

Error failure(const std::string& what, int number) {
  return Error(ErrorKind::internal_error, {"audit.syslog: " + what}).with_cause(std::strerror(number));
}

Error too_late() { return Error(ErrorKind::session_timeout, {"audit.syslog: the receiver does not take it in time"}); }

// Returns what is ready; throws past the deadline.
short wait_for(const FileDescriptor& socket, short events, Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) throw too_late();
    pollfd entry{socket.get(), events, 0};
    const int count = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (count > 0) return entry.revents;
    if (count < 0 && errno != EINTR) throw failure("the receiver cannot be waited for", errno);
  }
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// parse_syslog_target() has seen to it that the text fits.
Address address_of(const SyslogTarget& target) {
  Address address;
  if (target.transport == SyslogTransport::unix_datagram) {
    auto& local = reinterpret_cast<sockaddr_un&>(address.storage);
    local.sun_family = AF_UNIX;
    target.address.copy(local.sun_path, sizeof local.sun_path - 1);
    address.size = sizeof local;
    return address;
  }
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  if (::inet_pton(AF_INET, target.address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(target.port);
    address.size = sizeof v4;
    return address;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (::inet_pton(AF_INET6, target.address.c_str(), &v6.sin6_addr) != 1) {
    throw Error(ErrorKind::internal_error, {"audit.syslog: is no IP address"});
  }
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(target.port);
  address.size = sizeof v6;
  return address;
}

int pending_error(const FileDescriptor& socket) {
  int number = 0;
  socklen_t size = sizeof number;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &number, &size) != 0) return errno;
  return number;
}

}  // namespace

std::uint64_t SyslogSink::open(store::JournalStore& journal, Deadline deadline) {
  socket_.reset();
  connect(deadline);
  return journal.copied(name());
}

void SyslogSink::connect(Deadline deadline) {
  const Address address = address_of(target_);
  FileDescriptor socket(
      ::socket(address.storage.ss_family, (is_stream() ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) throw failure("no socket is to be had", errno);
  if (::connect(socket.get(), address.get(), address.size) != 0) {
    if (errno != EINPROGRESS) throw failure("the receiver cannot be reached", errno);
    wait_for(socket, POLLOUT, deadline);
    if (const int number = pending_error(socket)) throw failure("the receiver cannot be reached", number);
  }
  socket_ = std::move(socket);
}

void SyslogSink::deliver(store::JournalStore& journal, const std::vector<store::JournalLine>& lines,
                         Deadline deadline) {
  require_alive();
  for (const store::JournalLine& line : lines) {
    const SyslogMessage message = syslog_message(line, origin_);
    if (is_stream()) {
      const std::string text = message.text();
      send_stream(std::to_string(text.size()) + " " + text, deadline);
    } else {
      send_datagram(message, line.sequence, deadline);
    }
  }
  if (is_stream()) wait_acknowledged(deadline);
  require_alive();
  journal.set_copied(name(), lines.back().sequence, deadline);
}

void SyslogSink::send_datagram(const SyslogMessage& message, std::uint64_t sequence, Deadline deadline) {
  if (try_datagram(message.text(), deadline)) return;
  log::warning("event too long for a syslog datagram, sent without its text",
               {{"sequence", static_cast<std::int64_t>(sequence)}});
  if (!try_datagram(message.header, deadline)) throw failure("no datagram can be sent", EMSGSIZE);
}

// False when it is too long for one.
bool SyslogSink::try_datagram(std::string_view datagram, Deadline deadline) {
  for (;;) {
    if (::send(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0) return true;
    if (errno == EMSGSIZE) return false;
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) throw failure("a datagram is refused", errno);
    wait_for(socket_, POLLOUT, deadline);
  }
}

void SyslogSink::send_stream(std::string_view octets, Deadline deadline) {
  while (!octets.empty()) {
    const ssize_t count = ::send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      octets.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
      wait_for(socket_, POLLOUT, deadline);
    } else {
      throw failure("the connection is broken", errno);
    }
  }
}

void SyslogSink::wait_acknowledged(Deadline deadline) {
  for (;;) {
    int waiting = 0;
    if (::ioctl(socket_.get(), SIOCOUTQ, &waiting) != 0) throw failure("the connection is broken", errno);
    if (waiting == 0) return;
    require_alive();
    if (std::chrono::steady_clock::now() >= deadline) throw too_late();
    std::this_thread::sleep_for(kAcknowledgementTick);
  }
}

void SyslogSink::require_alive() {
  if (const int number = pending_error(socket_)) throw failure("the receiver is away", number);
  if (!is_stream()) return;
  // What a receiver sends is none of ours, but must not fill up: a closed connection would not show behind it.
  char ignored[512];
  ssize_t count = 0;
  do {
    count = ::recv(socket_.get(), ignored, sizeof ignored, MSG_DONTWAIT);
  } while (count > 0);
  if (count == 0) throw failure("the receiver has closed the connection", EPIPE);
  if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) throw failure("the connection is broken", errno);
}

}  // namespace hsmsigner::service
