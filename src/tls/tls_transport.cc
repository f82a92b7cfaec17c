#include "tls/tls_transport.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "base/bytes.h"
#include "base/log.h"
#include "tls/external_key.h"
#include "tls/socket_bio.h"

namespace hsmsigner::tls {
namespace {

constexpr std::chrono::seconds kBetweenQuestions{1};
constexpr std::chrono::milliseconds kAlertLinger{500};
constexpr std::size_t kAlertLingerBytes = 1U << 20;

int bounded(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }

std::optional<PeerCertificate> shown_by(SSL* ssl) {
  const X509Ptr certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK) return std::nullopt;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  require(X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size), "X509_digest");
  return PeerCertificate{to_colon_hex(ByteView(digest.data(), size)),
                         one_line(X509_get_subject_name(certificate.get()))};
}

SslPtr ssl_on(int socket, SSL_CTX* context) {
  try {
    SslPtr ssl = require_pointer(SslPtr(SSL_new(context)), "SSL_new");
    BIO* const bio = socket_bio(socket).release();
    SSL_set_bio(ssl.get(), bio, bio);
    SSL_set_accept_state(ssl.get());
    return ssl;
  } catch (...) {
    ::close(socket);
    throw;
  }
}

}  // namespace

TlsTransport::TlsTransport(int socket, SSL_CTX* context, std::shared_ptr<const void> settings)
    : socket_(socket), settings_(std::move(settings)), ssl_(ssl_on(socket, context)) {}

TlsTransport::~TlsTransport() {
  // RFC 8446 6.1: without a close_notify the peer cannot tell the end from an attack. If it takes it at once.
  if (!broken_ && !ended_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
  ::close(socket_);
}

bool TlsTransport::is_waiting(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    awaited_ = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return true;
  }
  failure_ = openssl_errors();
  if (failure_.empty()) failure_ = "the connection ended";
  broken_ = true;
  return false;
}

bool TlsTransport::again(int result, Deadline deadline) {
  return is_waiting(result) && wait_for_socket(socket_, awaited_, deadline);
}

bool TlsTransport::handshake(Deadline deadline, const std::function<bool()>& go_on) {
  using std::chrono::steady_clock;
  const OperationDeadline of_the_key(deadline);
  Deadline next_question = std::min(deadline, deadline_in(kBetweenQuestions));
  while (true) {
    ERR_clear_error();
    const Deadline before = steady_clock::now();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) break;
    // What our own key takes is not the peer's fault.
    next_question = std::min(deadline, next_question + (steady_clock::now() - before));
    if (!is_waiting(result)) {
      log::debug("TLS handshake failed", {{"cause", failure_}});
      let_the_alert_arrive();
      return false;
    }
    // By the clock and not by the silence: a peer may send an octet now and then.
    while (true) {
      const bool ready = wait_for_socket(socket_, awaited_, next_question);
      const Deadline now = steady_clock::now();
      if (now >= next_question) {
        const bool late = now >= deadline;
        if (late || !go_on()) {
          log::debug("TLS handshake given up", {{"cause", late ? "the deadline passed" : "its thread is needed"}});
          return false;
        }
        next_question = std::min(deadline, now + kBetweenQuestions);
      }
      if (ready) break;
    }
  }
  peer_ = shown_by(ssl_.get());
  broken_ = false;
  return true;
}

// A socket that is closed with octets unread resets the connection, and the peer may never see the alert.
void TlsTransport::let_the_alert_arrive() {
  if (::shutdown(socket_, SHUT_WR) != 0) return;
  const Deadline deadline = deadline_in(kAlertLinger);
  std::array<char, 4096> chunk{};
  for (std::size_t total = 0; total < kAlertLingerBytes && wait_for_socket(socket_, POLLIN, deadline);) {
    const ssize_t count = ::recv(socket_, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (count <= 0) return;
    total += static_cast<std::size_t>(count);
  }
}

ssize_t TlsTransport::receive(char* data, std::size_t size, Deadline deadline) {
  while (true) {
    ERR_clear_error();
    const int count = SSL_read(ssl_.get(), data, bounded(size));
    if (count > 0) return count;
    if (SSL_get_error(ssl_.get(), count) == SSL_ERROR_ZERO_RETURN) return 0;
    if (!again(count, deadline)) return -1;
  }
}

bool TlsTransport::send(const char* data, std::size_t size, Deadline deadline) {
  while (size > 0) {
    if (broken_) return false;
    ERR_clear_error();
    const int count = SSL_write(ssl_.get(), data, bounded(size));
    if (count > 0) {
      data += count;
      size -= static_cast<std::size_t>(count);
    } else if (!again(count, deadline)) {
      broken_ = true;  // a record may be half sent
      return false;
    }
  }
  return true;
}

bool TlsTransport::end_sending(Deadline deadline) {
  while (!broken_ && !ended_) {
    ERR_clear_error();
    const int result = SSL_shutdown(ssl_.get());
    if (result >= 0) {
      ended_ = true;
    } else if (!again(result, deadline)) {
      broken_ = true;
    }
  }
  return ended_ && ::shutdown(socket_, SHUT_WR) == 0;
}

}  // namespace hsmsigner::tls
