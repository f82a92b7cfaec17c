// A connected byte stream with deadlines: what HTTP is spoken over. Plain TCP in api/, TLS in tls/.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"

namespace hsmsigner {

struct PeerCertificate {
  std::string fingerprint_sha256;  // AA:BB:…, as `openssl x509 -fingerprint -sha256`
  std::string subject;             // OpenSSL's one-line form
};

// Used by one thread at a time. Owns its socket and closes it.
class Transport {
 public:
  virtual ~Transport() = default;

  // What must be agreed on before anything else. `go_on` is asked once a second while the peer is waited for: false
  // ends it. False when it failed: the transport is of no further use then.
  virtual bool handshake(Deadline, const std::function<bool()>& /*go_on*/) { return true; }

  // Octets that came; 0 at the end of the stream; -1 when the deadline passed or the connection broke.
  virtual ssize_t receive(char* data, std::size_t size, Deadline deadline) = 0;
  // Sends all of it. False when the peer does not take it in time or the connection broke.
  virtual bool send(const char* data, std::size_t size, Deadline deadline) = 0;
  // No more will be sent: the peer sees the end of the stream.
  virtual bool end_sending(Deadline deadline) = 0;
  // For shutdown() from another thread, so that a wait ends.
  virtual int socket() const noexcept = 0;
  // A certificate that the peer showed and that was verified.
  virtual std::optional<PeerCertificate> peer_certificate() const { return std::nullopt; }
};

// What a server makes of its accepted sockets. One function makes a value of each kind, so that nobody else says
// whether it is TLS.
struct AcceptTransport {
  // The Transport owns the socket; it is closed also when this throws. Thread safe.
  std::function<std::unique_ptr<Transport>(int socket)> make;
  bool tls;
};

// Until one of poll(2)'s `events`, or an error that the next call on the socket will tell. False when the deadline
// passed first.
bool wait_for_socket(int socket, short events, Deadline deadline);

}  // namespace hsmsigner
