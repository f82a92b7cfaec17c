// Password-based encryption of PKCS#5 (RFC 8018) and PKCS#12 (RFC 7292 appendix B, C). Private to this room.
#pragma once

#include <optional>
#include <string_view>

#include "pki/openssl.h"
#include "pki/wiped_bytes.h"

namespace hsmsigner::pki {

// How much work a file may ask for before anything of it is known to be true. One per file.
class DerivationBudget {
 public:
  static constexpr std::int64_t kMaxRounds = 5'000'000;          // of all derivations together: seconds
  static constexpr std::uint64_t kMaxScryptMemory = 32U << 20U;  // octets, by OpenSSL's reckoning: its own bound
  static constexpr std::uint64_t kMaxScryptWork = 1U << 21U;     // N·r·p; as seconds

  // `field` begins the sentences.
  explicit DerivationBudget(std::string_view field) : field_(field) {}

  // Takes what decrypting under this algorithm costs. Throws Error{invalid_object} when that is more than is left, or
  // when the parameters do not say.
  void spend(const X509_ALGOR* algorithm);
  void spend_rounds(std::int64_t rounds);
  std::string_view field() const noexcept { return field_; }

 private:
  void spend_scrypt(const ASN1_TYPE* parameters);
  std::string_view field_;
  std::int64_t rounds_left_ = kMaxRounds;
  std::uint64_t scrypt_left_ = kMaxScryptWork;
};

// No passphrase and an empty one are not the same to PKCS#12's derivation (RFC 7292 B.1: with and without a NUL).
using Passphrase = std::optional<std::string_view>;
inline const char* data_of(const Passphrase& passphrase) noexcept {
  if (!passphrase) return nullptr;
  return passphrase->data() != nullptr ? passphrase->data() : "";
}
inline int size_of(const Passphrase& passphrase) noexcept {
  return passphrase ? static_cast<int>(passphrase->size()) : 0;
}

// Nothing when the passphrase is wrong, as far as the padding tells. Throws Error{invalid_object} for an algorithm that
// this program or this OpenSSL has not, and as DerivationBudget::spend() does.
std::optional<WipedBytes> decrypt_with_passphrase(const X509_ALGOR* algorithm, Passphrase passphrase,
                                                  ByteView encrypted, DerivationBudget& budget);

// EncryptedPrivateKeyInfo (RFC 5208 6) of a PrivateKeyInfo: PBES2, PBKDF2-HMAC-SHA-256 with kPbkdf2Rounds, AES-256-CBC.
Bytes encrypt_private_key_info(ByteView pkcs8, std::string_view passphrase);

inline constexpr std::size_t kSaltOctets = 16;
Bytes random_octets(std::size_t count);

}  // namespace hsmsigner::pki
