#include "api/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/error.h"

namespace hsmsigner::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kSendAtOnce = 65536;
constexpr std::size_t kLeastSendRate = 256U << 10;  // octets a second that a peer must take of a long answer
constexpr milliseconds kLinger{2000};
constexpr std::size_t kLingerBytes = 64U << 20;

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

bool wait_for_first_octet(int socket, IdleConnections& idle, const std::function<milliseconds()>& patience) {
  const IdleEntry entry(idle, socket);
  if (!entry.entered() || !wait_for_socket(socket, POLLIN, deadline_in(patience()))) return false;
  char octet = 0;
  return ::recv(socket, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

ssize_t Connection::receive_more(Deadline deadline) {
  char chunk[4096];
  const ssize_t count = transport_->receive(chunk, sizeof chunk, deadline);
  if (count <= 0) return count;
  received_.append({chunk, static_cast<std::size_t>(count)});
  cleanse(chunk, static_cast<std::size_t>(count));
  return count;
}

bool Connection::read_head(RequestHead& head, const std::function<milliseconds()>& patience) {
  const IdleEntry idle(idle_, transport_->socket());
  if (!idle.entered()) return false;
  Deadline deadline = deadline_in(patience());
  bool begun = false;
  while (true) {
    if (!received_.empty() && !begun) {
      begun = true;
      deadline = deadline_in(limits_.read_timeout);
    }
    if (received_.view().starts_with("\r\n")) received_.drop_front(2);  // RFC 9112 2.2
    const std::string_view text = received_.view();
    // A method begins with a letter; what else talks here (TLS, for one) need not be waited for.
    if (!text.empty() && text != "\r" && (text.front() <= ' ' || text.front() > '~')) {
      refuse(limits_.tls ? "this is not HTTP/1.1" : "this is not HTTP/1.1; the server speaks plain HTTP only");
    }
    const std::size_t end = end_of_head(text);
    if (std::min(end, text.size()) > kMaxHeadBytes) refuse("the request's head is longer than 32768 octets");
    if (end != std::string_view::npos) {
      head = parse_request_head(text.substr(0, end));
      received_.drop_front(end);
      return true;
    }
    const bool silent = text.empty() || text == "\r";  // an empty line after a body is no request
    const ssize_t count = receive_more(deadline);
    if (count < 0 && !silent && steady_clock::now() >= deadline) refuse("the request's head did not arrive in time");
    if (count <= 0) return false;
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
    // cpp-httplib reads a chunk's line octet by octet.
    count = size < 4096 ? receive_more(body_deadline_) : transport_->receive(data, size, body_deadline_);
  }
  if (!received_.empty()) {
    const std::size_t used = received_.view().copy(data, size);
    received_.drop_front(used);
    count = static_cast<ssize_t>(used);
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
  unsent_.append({data, size});
  if (unsent_.size() >= kSendAtOnce && !flush()) return -1;
  return static_cast<ssize_t>(size);
}

bool Connection::flush() {
  const bool sent = send_all(unsent_.view());
  unsent_.clear();
  return sent;
}

bool Connection::send_all(std::string_view data) {
  // One deadline for all of it, or a peer that reads a little now and then would hold its thread for ever.
  const Deadline deadline = deadline_in(limits_.write_timeout + std::chrono::seconds(data.size() / kLeastSendRate));
  broken_ = broken_ || !transport_->send(data.data(), data.size(), deadline);
  return !broken_;
}

void Connection::close_lingering() {
  const Deadline deadline = deadline_in(kLinger);
  if (broken_ || !transport_->end_sending(deadline)) return;
  char chunk[16384];
  ssize_t count = 1;
  for (std::size_t total = 0; total < kLingerBytes && count > 0;) {
    count = transport_->receive(chunk, sizeof chunk, deadline);
    if (count > 0) total += static_cast<std::size_t>(count);
  }
  cleanse(chunk, sizeof chunk);  // a body that was not read may hold a passphrase
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
