#include "api/connection.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace hsmsigner::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kSendAtOnce = 65536;
constexpr std::size_t kLeastSendRate = 256U << 10;  // octets a second that a peer must take of a long answer
constexpr milliseconds kLinger{2000};
constexpr std::size_t kLingerBytes = 64U << 20;

// False when the deadline passed first.
bool wait_for(int socket, short events, Deadline deadline) {
  while (true) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()).count();
    if (left < 0) return false;
    pollfd entry{socket, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<long long>(left + 1, 3'600'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// One past the empty line, or npos. Takes bare line feeds too, so that such a head is refused at once, not waited for.
std::size_t end_of_head(std::string_view text) {
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (text.substr(at + 1).starts_with('\n')) return at + 2;
    if (text.substr(at + 1).starts_with("\r\n")) return at + 3;
  }
  return std::string_view::npos;
}

[[noreturn]] void refuse(const char* sentence) { throw Error(ErrorKind::malformed_command, {sentence}); }

class IdleEntry {
 public:
  IdleEntry(IdleConnections& idle, int socket) : idle_(idle), socket_(socket), entered_(idle.add(socket)) {}
  ~IdleEntry() { idle_.remove(socket_); }
  IdleEntry(const IdleEntry&) = delete;
  IdleEntry& operator=(const IdleEntry&) = delete;
  bool entered() const { return entered_; }

 private:
  IdleConnections& idle_;
  int socket_;
  bool entered_;
};

}  // namespace

bool IdleConnections::add(int socket) {
  const std::lock_guard lock(mutex_);
  if (!ended_) sockets_.push_back(socket);
  return !ended_;
}

void IdleConnections::remove(int socket) {
  const std::lock_guard lock(mutex_);
  sockets_.remove(socket);
}

void IdleConnections::end_oldest() {
  const std::lock_guard lock(mutex_);
  if (sockets_.empty()) return;
  ::shutdown(sockets_.front(), SHUT_RD);
  sockets_.pop_front();
}

void IdleConnections::end_present() {
  const std::lock_guard lock(mutex_);
  end_sockets();
}

void IdleConnections::end_all() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  end_sockets();
}

// Lock held.
void IdleConnections::end_sockets() {
  for (const int socket : sockets_) ::shutdown(socket, SHUT_RD);
  sockets_.clear();
}

Connection::Connection(int socket, const ConnectionLimits& limits, IdleConnections& idle)
    : socket_(socket), limits_(limits), idle_(idle) {
  const int yes = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

Connection::~Connection() { ::close(socket_); }

ssize_t Connection::receive(char* data, std::size_t size, Deadline deadline) const {
  while (true) {
    const ssize_t count = ::recv(socket_, data, size, MSG_DONTWAIT);
    if (count >= 0) return count;
    if (errno == EINTR) continue;
    if (errno != EAGAIN || !wait_for(socket_, POLLIN, deadline)) return -1;
  }
}

bool Connection::read_head(RequestHead& head, const std::function<milliseconds()>& patience) {
  const IdleEntry idle(idle_, socket_);
  if (!idle.entered()) return false;
  char chunk[4096];
  Deadline deadline = deadline_in(patience());
  bool begun = false;
  while (true) {
    if (!received_.empty() && !begun) {
      begun = true;
      deadline = deadline_in(limits_.read_timeout);
    }
    if (received_.starts_with("\r\n")) received_.erase(0, 2);  // RFC 9112 2.2
    // A method begins with a letter; what else talks here (TLS, for one) need not be waited for.
    if (!received_.empty() && received_ != "\r" && (received_.front() <= ' ' || received_.front() > '~')) {
      refuse("this is not HTTP/1.1; the server speaks plain HTTP only");
    }
    const std::size_t end = end_of_head(received_);
    if (std::min(end, received_.size()) > kMaxHeadBytes) refuse("the request's head is longer than 32768 octets");
    if (end != std::string::npos) {
      const std::string text = received_.substr(0, end);
      received_.erase(0, end);
      head = parse_request_head(text);
      return true;
    }
    const ssize_t count = receive(chunk, sizeof chunk, deadline);
    const bool silent = received_.empty() || received_ == "\r";  // an empty line after a body is no request
    if (count < 0 && !silent && steady_clock::now() >= deadline) refuse("the request's head did not arrive in time");
    if (count <= 0) return false;
    received_.append(chunk, static_cast<std::size_t>(count));
  }
}

void Connection::begin_exchange(std::string head_text, const RequestHead& head) {
  head_text_ = std::move(head_text);
  head_read_ = 0;
  chunked_ = head.chunked;
  body_left_ = head.content_length;
  continue_expected_ = head.expects_continue && head.has_body();
  body_started_ = false;
  chunk_tail_.clear();
}

ssize_t Connection::read(char* data, std::size_t size) {
  if (head_read_ < head_text_.size()) {
    const std::size_t count = head_text_.copy(data, size, head_read_);
    head_read_ += count;
    return static_cast<ssize_t>(count);
  }
  return read_body(data, size);
}

ssize_t Connection::read_body(char* data, std::size_t size) {
  if (!body_started_) {
    body_started_ = true;
    body_deadline_ = deadline_in(limits_.read_timeout);
    // Asked for only now, when the body is wanted (RFC 9110 10.1.1).
    if (continue_expected_ && !send_all("HTTP/1.1 100 Continue\r\n\r\n")) return -1;
    // Chunked coding may add to the body; a stream of empty or padded chunks ends here.
    if (chunked_) body_left_ = 2 * std::uint64_t{limits_.max_body_bytes} + kSendAtOnce;
  }
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, body_left_));
  if (size == 0) return 0;
  ssize_t count = 0;
  if (received_.empty()) {
    if (size < 4096) {  // cpp-httplib reads a chunk's line octet by octet
      char chunk[4096];
      count = receive(chunk, sizeof chunk, body_deadline_);
      if (count <= 0) return count;
      received_.assign(chunk, static_cast<std::size_t>(count));
    } else {
      count = receive(data, size, body_deadline_);
    }
  }
  if (!received_.empty()) {
    count = static_cast<ssize_t>(received_.copy(data, size));
    received_.erase(0, static_cast<std::size_t>(count));
  }
  if (count <= 0) return count;
  body_left_ -= static_cast<std::uint64_t>(count);
  if (chunked_) {
    const std::string_view fresh(data, static_cast<std::size_t>(count));
    chunk_tail_ += fresh.substr(fresh.size() - std::min<std::size_t>(fresh.size(), 7));
    if (chunk_tail_.size() > 7) chunk_tail_.erase(0, chunk_tail_.size() - 7);
  }
  return count;
}

ssize_t Connection::write(const char* data, std::size_t size) {
  unsent_.append(data, size);
  if (unsent_.size() >= kSendAtOnce && !flush()) return -1;
  return static_cast<ssize_t>(size);
}

bool Connection::flush() {
  const bool sent = send_all(unsent_);
  unsent_.clear();
  return sent;
}

bool Connection::send_all(std::string_view data) {
  // One deadline for all of it, or a peer that reads a little now and then would hold its thread for ever.
  const Deadline deadline = deadline_in(limits_.write_timeout + std::chrono::seconds(data.size() / kLeastSendRate));
  while (!data.empty() && !broken_) {
    const ssize_t count = ::send(socket_, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) {
      data.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      broken_ = errno != EAGAIN || !wait_for(socket_, POLLOUT, deadline);
    }
  }
  return !broken_;
}

void Connection::close_lingering() {
  if (broken_ || ::shutdown(socket_, SHUT_WR) != 0) return;
  const Deadline deadline = deadline_in(kLinger);
  char chunk[16384];
  for (std::size_t total = 0; total < kLingerBytes;) {
    const ssize_t count = receive(chunk, sizeof chunk, deadline);
    if (count <= 0) return;
    total += static_cast<std::size_t>(count);
  }
}

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();  // nothing here asks for it
  port = 0;
}

void Connection::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace hsmsigner::api
