// Proof that what a probe got hold of is its key, and an RSA pair of this process to have keys wrapped under. For keys
// that are thrown away: OpenSSL leaves copies of them behind.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/signer.h"

namespace hsmsigner::hsm {

// Whether this is a PrivateKeyInfo (RFC 5208 5) whose key signs so that `key` verifies it. Throws Error{internal_error}
// when OpenSSL fails.
bool is_private_half(ByteView pkcs8, const PublicKey& key);

// Whether this number, big-endian, gives the private key away: EC, the private value; RSA, a prime, the private
// exponent or one of the two exponents of the Chinese remainder (not its coefficient). Throws as above.
bool is_secret_of(const PublicKey& key, ByteView number);

// RSA-2048. Thread safe.
class SoftwareRsaKey {
 public:
  // Takes a tenth of a second. Throws Error{internal_error}.
  SoftwareRsaKey();
  ~SoftwareRsaKey();
  SoftwareRsaKey(const SoftwareRsaKey&) = delete;
  SoftwareRsaKey& operator=(const SoftwareRsaKey&) = delete;

  const RsaPublicKey& public_key() const noexcept { return public_key_; }
  // By RSAES-PKCS1-v1_5, or by RSAES-OAEP with SHA-1 (RFC 8017 7). Nothing for what was not made so.
  std::optional<Secret> open(ByteView wrapped, bool oaep) const;

 private:
  struct Pair;  // OpenSSL's
  std::unique_ptr<Pair> pair_;
  RsaPublicKey public_key_;
};

}  // namespace hsmsigner::hsm
