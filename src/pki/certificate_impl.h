// What a Certificate shares among its copies. Private to this room.
#pragma once

#include <mutex>
#include <optional>

#include "pki/certificate.h"
#include "pki/openssl.h"

namespace hsmsigner::pki {

// OpenSSL takes X509 by non-const pointer even to read it (it caches decoded extensions, under its own lock), hence
// non-const pointers from a const Impl.
class Certificate::Impl {
 public:
  // Of parse_x509(), with the octets that it was parsed from: to encode it again could give others than were signed.
  Impl(X509Ptr x509, Bytes der) : x509_(std::move(x509)), der_(std::move(der)) {}
  // Of parse_structure(); `certified` is the key that it certifies.
  Impl(X509Ptr structure, Bytes der, PublicKey certified)
      : x509_(std::move(structure)), der_(std::move(der)), certified_(std::move(certified)) {}

  // Its fields and each extension by itself may be asked; for its key, and for what OpenSSL gathers of all extensions
  // together (X509_get_extension_flags() and the like), with_key() is to be taken.
  X509* x509() const noexcept { return x509_.get(); }
  // The same with the key: decoded when first asked for, if it has not been.
  X509* with_key() const;
  const Bytes& der() const noexcept { return der_; }
  PublicKey public_key() const;

 private:
  const X509Ptr x509_;
  const Bytes der_;
  const std::optional<PublicKey> certified_;
  mutable std::once_flag once_;
  mutable X509Ptr with_key_;  // when x509_ is without
};

// Nothing unless `der` is exactly one certificate.
X509Ptr parse_x509(ByteView der);
// The same without decoding its public key, which would take ten times as long as the rest, and more with several
// threads. No algorithm can be used with it: no digest, no verification.
X509Ptr parse_structure(ByteView der);

}  // namespace hsmsigner::pki
