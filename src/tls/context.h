// What every TLS connection of this server shares: certificate, key, versions, ciphers, whose client certificates are
// taken. TLS 1.2 and 1.3 (RFC 9325), authenticated encryption with forward secrecy only.
#pragma once

#include <memory>
#include <string>

#include "base/transport.h"

// OpenSSL's own tag: EVP_PKEY.
struct evp_pkey_st;

namespace hsmsigner::tls {

enum class ClientCertificate {
  off,       // none is asked for
  optional,  // who shows none stays anonymous; one that does not verify ends the handshake
  required,
};

struct ContextOptions {
  std::string certificate_chain;     // PEM: the server's own certificate, then those up to its root
  std::shared_ptr<evp_pkey_st> key;  // key_from_pem() or external_key()
  std::string client_ca;             // PEM; needed unless no client certificate is asked for
  ClientCertificate client_certificate = ClientCertificate::off;

  // Settings, as faults name them.
  std::string certificate_setting = "tls.certificate_file";
  std::string key_setting = "tls.key_file";
  std::string client_ca_setting = "tls.client_ca_file";
};

class Context {
 public:
  // Checks that all of it fits together, and signs once with the key. Throws Error{invalid_object} with a sentence for
  // each fault, beginning with the setting.
  explicit Context(const ContextOptions& options);

  // It, and what it makes, may outlive this object.
  AcceptTransport transport() const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace hsmsigner::tls
