// The durable record of a certificate: what the resource of the HTTP contract is made of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/container.h"
#include "base/uuid.h"

namespace hsmsigner::store {

using hsmsigner::Container;
using hsmsigner::ContainerKind;

// What the token said of the key when it was read back after generation or import.
struct KeyRecord {
  std::string token_label;
  std::string token_serial;
  std::string id;    // CKA_ID, lower-case hexadecimal
  std::string type;  // "RSA" or "EC"
  unsigned bits = 0;
  bool sensitive = false;
  bool always_sensitive = false;
  bool extractable = false;
  bool never_extractable = false;
  bool local = false;
};

// A pending one is a signing request whose certificate has not come yet: it has a key, a name and `request_pem`, and
// what only a certificate tells is empty (times: the epoch).
struct CertificateRecord {
  Uuid id;
  Container container;
  std::string name;
  std::string common_name;
  std::string algorithm;  // "RSA" or "EC"
  bool certificate_authority = false;
  std::string subject;  // OpenSSL one-line form
  std::string issuer;
  std::string subject_hash;
  std::string issuer_hash;
  UnixTime not_before;
  UnixTime not_after;
  std::string certificate_pem;  // "" while pending
  std::string request_pem;      // PKCS#10 of `signed_by: external`; else ""
  std::string serial_number;
  std::string fingerprint_sha256;
  std::optional<Uuid>
      issuer_id;          // the certificate here that signed this one; none when self-signed or signed elsewhere
  std::string signed_by;  // that certificate's name; "" when self-signed; "external" for a signing request
  std::string digest;     // "sha256"
  std::vector<std::string> alternative_names;  // no control characters in any of them
  std::vector<std::string> warnings;           // likewise
  std::optional<KeyRecord> key;                // none: a certificate without its key, imported
  UnixTime created_at;

  bool pending() const noexcept { return certificate_pem.empty(); }
};

}  // namespace hsmsigner::store
