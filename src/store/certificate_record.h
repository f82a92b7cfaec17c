// The durable record of a certificate: what the resource of the HTTP contract is made of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"

namespace hsmsigner::store {

enum class ContainerKind { folder, snippet, device };
// "folder", "snippet", "device".
const char* to_string(ContainerKind kind) noexcept;
std::optional<ContainerKind> container_kind_from(const std::string& text) noexcept;

// Where a certificate lives; its name is unique in it.
struct Container {
  ContainerKind kind = ContainerKind::folder;
  std::string name;
  bool operator==(const Container&) const = default;
};

// What the token said of the key when it was read back after generation.
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
  std::string certificate_pem;
  std::string serial_number;
  std::string fingerprint_sha256;
  std::optional<Uuid> issuer_id;               // the certificate here that signed this one; none when self-signed
  std::string signed_by;                       // that certificate's name; "" when self-signed
  std::string digest;                          // "sha256"
  std::vector<std::string> alternative_names;  // no control characters in any of them
  std::vector<std::string> warnings;           // likewise
  KeyRecord key;
  UnixTime created_at;
};

}  // namespace hsmsigner::store
