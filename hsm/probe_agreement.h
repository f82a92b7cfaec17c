// A P-256 pair of this process, to have keys wrapped under by CKM_ECDH_AES_KEY_WRAP. For keys that are thrown away:
// OpenSSL leaves copies of them behind.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/secret.h"

namespace hsmsigner::hsm {

// How the AES key comes of the agreed secret: its octets as they are (CKD_NULL), or their SHA-256 with a counter of one
// (CKD_SHA256_KDF; ANSI X9.63 5.6.3 for one block).
enum class AgreementKdf { none, sha256 };

// Thread safe.
class SoftwareEcKey {
 public:
  // Throws Error{internal_error}.
  SoftwareEcKey();
  ~SoftwareEcKey();
  SoftwareEcKey(const SoftwareEcKey&) = delete;
  SoftwareEcKey& operator=(const SoftwareEcKey&) = delete;

  // Uncompressed (SEC 1 2.3.3): 65 octets.
  const Bytes& point() const noexcept { return point_; }
  // The AES-256 key on which the holder of the private half of `other`, a point as above, agrees with this one. Nothing
  // for what is no point of the curve.
  std::optional<Secret> agree(ByteView other, AgreementKdf kdf) const;

 private:
  struct Pair;  // OpenSSL's
  std::unique_ptr<Pair> pair_;
  Bytes point_;
};

}  // namespace hsmsigner::hsm
