// Client secrets: made of 256 random bits, kept as a salted hash.
#pragma once

#include "base/bytes.h"
#include "base/secret.h"

namespace hsmsigner::auth {

inline constexpr std::size_t kSecretOctets = 32;
inline constexpr std::size_t kSaltOctets = 16;

// The text that is handed out: base64url of kSecretOctets random octets, 43 characters.
Secret client_secret(const Secret& random_octets);

// HMAC-SHA-256 of the secret's text under the salt. One round: a secret of 256 random bits cannot be guessed, so that
// nothing would be won by making each guess slow (NIST SP 800-63B 5.1.2.2 is about what people choose).
Bytes hash_secret(const Secret& secret, ByteView salt);

// In constant time.
bool equal_in_constant_time(ByteView a, ByteView b) noexcept;

}  // namespace hsmsigner::auth
