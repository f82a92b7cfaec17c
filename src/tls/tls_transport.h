// A TLS connection as a Transport. Private to this room.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/transport.h"
#include "tls/openssl.h"

namespace hsmsigner::tls {

class TlsTransport final : public Transport {
 public:
  // Owns the socket. `settings` is what the connection uses and must outlive it.
  TlsTransport(int socket, SSL_CTX* context, std::shared_ptr<const void> settings);
  ~TlsTransport() override;
  TlsTransport(const TlsTransport&) = delete;
  TlsTransport& operator=(const TlsTransport&) = delete;

  // The server's side. When it fails the reason is logged; a peer that still listens has been told why (RFC 8446 6.2),
  // unless it was given up.
  bool handshake(Deadline deadline, const std::function<bool()>& go_on) override;
  ssize_t receive(char* data, std::size_t size, Deadline deadline) override;
  bool send(const char* data, std::size_t size, Deadline deadline) override;
  bool end_sending(Deadline deadline) override;
  int socket() const noexcept override { return socket_; }
  std::optional<PeerCertificate> peer_certificate() const override { return peer_; }

 private:
  // Whether the operation that gave `result` waits for the socket. Any other failure breaks the connection.
  bool is_waiting(int result);
  // The same, and the socket is ready before the deadline.
  bool again(int result, Deadline deadline);
  void let_the_alert_arrive();

  const int socket_;
  const std::shared_ptr<const void> settings_;
  const SslPtr ssl_;
  std::optional<PeerCertificate> peer_;
  short awaited_ = 0;  // poll(2)'s event, of what is_waiting()
  std::string failure_;
  bool broken_ = true;  // nothing can be sent: not yet, or no more
  bool ended_ = false;  // close_notify was sent
};

}  // namespace hsmsigner::tls
