// The little cryptography that is done in this process and not in the token: keys wrapped for their way into it, opened
// on their way out, the proof that a signature is one, and that what a probe got hold of is a key. All that this room
// does with OpenSSL, but for module.cc, which sees to it that modules and OpenSSL leave each other alone.
#pragma once

#include <memory>
#include <optional>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "base/signer.h"
#include "hsm/mechanisms.h"

namespace hsmsigner::hsm {

// `key` has kWrappingKeySize octets, `iv` kAesBlock or, for key_wrap_pad, none; else, and when OpenSSL has no such
// cipher, they throw Error{internal_error}.
Bytes wrap_key(WrappingForm form, ByteView key, ByteView iv, const Secret& pkcs8);
// The PrivateKeyInfo (RFC 5208 5) in it, told from what follows by the length of its SEQUENCE alone: SoftHSM fills up
// with zeros to a block of the cipher. It is not decoded here, since OpenSSL's decoders leave copies behind. Nothing
// for octets that were not wrapped under this key, or are no SEQUENCE.
std::optional<Secret> open_key(WrappingForm form, ByteView key, ByteView iv, ByteView wrapped);

// `signature` as Signer::sign() gives it.
bool verifies(const PublicKey& key, Digest digest, ByteView digest_value, ByteView signature);

// Whether this is a PrivateKeyInfo (RFC 5208 5) whose key signs so that `key` verifies it. For keys that are thrown
// away: OpenSSL's decoder leaves copies behind.
bool is_private_half(ByteView pkcs8, const PublicKey& key);

// Whether this number, big-endian, gives the private key away: EC, the private value; RSA, a prime, the private
// exponent or one of the two exponents of the Chinese remainder (not its coefficient).
bool is_secret_of(const PublicKey& key, ByteView number);

// An RSA-2048 pair of this process, for a probe to have keys wrapped under (probe_wrapping.h). Thread safe.
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
