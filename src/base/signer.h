// What X.509 needs of a key, and no more: hsm/ implements it, pki/ uses it, and neither knows the other.
#pragma once

#include <variant>

#include "base/bytes.h"
#include "base/clock.h"

namespace hsmsigner {

enum class KeyAlgorithm;
enum class Digest;

// Both big-endian and unsigned, without leading zero octets (CKA_MODULUS, CKA_PUBLIC_EXPONENT).
struct RsaPublicKey {
  Bytes modulus;
  Bytes exponent;
  bool operator==(const RsaPublicKey&) const = default;
};

struct EcPublicKey {
  KeyAlgorithm curve;  // one of the ec_… enumerators
  Bytes point;         // uncompressed: 04 ‖ X ‖ Y (SEC 1 2.3.3), without the OCTET STRING that CKA_EC_POINT adds
  bool operator==(const EcPublicKey&) const = default;
};

using PublicKey = std::variant<RsaPublicKey, EcPublicKey>;

class Signer {
 public:
  virtual ~Signer() = default;

  virtual const PublicKey& public_key() const noexcept = 0;

  // Signs a finished digest. Returns the octets of an X.509 signatureValue: RSA, the PKCS#1 v1.5 block (RFC 8017 8.2),
  // as long as the modulus; EC, DER of ECDSA-Sig-Value (RFC 5480 appendix A).
  // Throws Error: session_timeout past the deadline, token_unavailable, too_many_requests. Thread safe.
  virtual Bytes sign(Digest digest, ByteView digest_value, Deadline deadline) = 0;
};

}  // namespace hsmsigner
