// X.509 certificates as values. DER inside; PEM (RFC 7468) only where a function says so.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/signer.h"

namespace hsmsigner::pki {

struct AlternativeName {
  enum class Kind { dns, ip, email };
  Kind kind;
  std::string value;  // dns, email: ASCII; ip: the textual address

  // "DNS:www.example.com", "IP:192.0.2.1", "email:a@example.com".
  std::string to_string() const;
  bool operator==(const AlternativeName&) const = default;
};

// Immutable; copies share the parsed form. Thread safe.
class Certificate {
 public:
  // Throw Error{invalid_object} when the octets are no certificate.
  static Certificate from_der(ByteView der);
  static Certificate from_pem(std::string_view pem);

  Bytes der() const;
  std::string pem() const;

  // OpenSSL's one-line form: "/C=US/CN=x".
  std::string subject() const;
  std::string issuer() const;
  // 8 hexadecimal digits, as `openssl x509 -subject_hash_old` prints them.
  std::string subject_hash_old() const;
  std::string issuer_hash_old() const;

  // The last common name of the subject, as UTF-8; "" when there is none.
  std::string common_name() const;

  UnixTime not_before() const;
  UnixTime not_after() const;
  std::string serial_number() const;       // upper-case hexadecimal, as `openssl x509 -serial`
  std::string fingerprint_sha256() const;  // AA:BB:…, as `openssl x509 -fingerprint -sha256`
  std::vector<AlternativeName> alternative_names() const;

  // The digest of its signature; nothing for one that the table of digests has not (Ed25519, RSASSA-PSS).
  std::optional<Digest> signature_digest() const;

  // basicConstraints cA and keyUsage keyCertSign (RFC 5280 4.2.1.9, 4.2.1.3).
  bool is_certificate_authority() const;
  // pathLenConstraint, where there is one.
  std::optional<unsigned> path_length() const;
  bool is_self_issued() const;

  // Throws Error{invalid_object} for a key algorithm that signer.h cannot express.
  PublicKey public_key() const;
  // Whether the signature verifies under this public key.
  bool verifies_with(const PublicKey& issuer_key) const;

  class Impl;
  explicit Certificate(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  const Impl& impl() const noexcept { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace hsmsigner::pki
