// The one table of key algorithms and the one table of digests. Everything else that depends on an algorithm (the
// PKCS#11 mechanism, the OpenSSL name, what the HTTP contract accepts) is looked up by these enumerators.
//
// It stands in base/ because pki/ and hsm/ both read it and do not know each other.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/signer.h"

namespace hsmsigner {

enum class KeyFamily { rsa, ec };

enum class KeyAlgorithm { rsa_512, rsa_1024, rsa_2048, rsa_3072, rsa_4096, ec_p256, ec_p384, ec_p521 };

struct KeyAlgorithmInfo {
  KeyAlgorithm algorithm;
  std::string_view name;  // "RSA-2048", "P-256": for people
  KeyFamily family;
  unsigned bits;             // RSA: of the modulus; EC: of the field
  ByteView ec_parameters;    // EC: DER of the curve's OBJECT IDENTIFIER (RFC 5480 2.1.1), CKA_EC_PARAMS; RSA: empty
  std::string_view openssl;  // EC: OpenSSL's group name; RSA: empty
  bool weak;                 // below 112 bits of strength (NIST SP 800-57 part 1, table 2)
};

std::span<const KeyAlgorithmInfo> key_algorithms() noexcept;
const KeyAlgorithmInfo& info(KeyAlgorithm algorithm) noexcept;
// The curve whose CKA_EC_PARAMS these are.
std::optional<KeyAlgorithm> curve_from_ec_parameters(ByteView ec_parameters) noexcept;
// "RSA" or "EC", as the resource's `algorithm` says it.
std::string_view to_string(KeyFamily family) noexcept;

enum class Digest { md5, sha1, sha256, sha384, sha512 };

struct DigestAlgorithmInfo {
  Digest digest;
  std::string_view name;        // "sha256": the contract's word and OpenSSL's name
  std::size_t size;             // octets
  ByteView digest_info_prefix;  // DER of DigestInfo up to the digest itself (RFC 8017 9.2, note 1)
  bool ecdsa;                   // an ecdsa-with-… OBJECT IDENTIFIER exists (RFC 5758 3.2; there is none for MD5)
  bool weak;                    // no longer collision resistant
};

std::span<const DigestAlgorithmInfo> digests() noexcept;
const DigestAlgorithmInfo& info(Digest digest) noexcept;
std::optional<Digest> digest_from_name(std::string_view name) noexcept;

KeyFamily family_of(const PublicKey& key) noexcept;
// RSA: bits of the modulus; EC: bits of the field.
unsigned bits_of(const PublicKey& key) noexcept;

// Why this key cannot make a signature with this digest, as a public sentence; nothing when it can.
// RSA needs a block of DigestInfo + 11 octets (RFC 8017 9.2), ECDSA an OBJECT IDENTIFIER for the pair.
std::optional<std::string> why_cannot_sign(KeyFamily family, unsigned bits, Digest digest);

}  // namespace hsmsigner
