// A TLS connection as a Transport. Private to this room.
#pragma once

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

  // The server's side. When it fails, the peer has been told why (RFC 8446 6.2), and the reason is returned.
  std::optional<std::string> handshake(Deadline deadline);

  ssize_t receive(char* data, std::size_t size, Deadline deadline) override;
  bool send(const char* data, std::size_t size, Deadline deadline) override;
  bool end_sending(Deadline deadline) override;
  int socket() const noexcept override { return socket_; }
  std::optional<PeerCertificate> peer_certificate() const override { return peer_; }

 private:
  // Whether the operation that gave `result` can be tried again now. Any other failure ends the connection.
  bool again(int result, Deadline deadline);
  void let_the_alert_arrive();

  const int socket_;
  const std::shared_ptr<const void> settings_;
  const SslPtr ssl_;
  std::optional<PeerCertificate> peer_;
  std::string failure_;
  bool broken_ = true;  // nothing can be sent: not yet, or no more
  bool ended_ = false;  // close_notify was sent
};

}  // namespace hsmsigner::tls
