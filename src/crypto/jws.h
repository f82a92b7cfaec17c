// JSON Web Signatures, compact serialisation (RFC 7515 7.1), for what this service vouches for: ES256 with a P-256 key,
// RS256 with an RSA key of 2048 bits or more (RFC 7518 3.3, 3.4). Not for access tokens, which others' libraries must
// read: auth/access_token.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/signer.h"

namespace hsmsigner::crypto {

// Of a whole JWS; its payload has three quarters of it, less some hundred octets.
inline constexpr std::size_t kMaxJwsOctets = std::size_t{16} << 20;

// The protected header is {"alg":…,"typ":…,"kid":…} in this order and without blanks. `type` keeps a signature made for
// one purpose from being taken for another; `key_id` and `type` have 1 to 128 characters of printable ASCII that JSON
// does not escape. `payload` is signed as it stands, octet for octet. What does not verify is not handed out. Throws
// what Signer::sign throws, Error{invalid_object} "is longer than …", and Error{internal_error} for another key, type
// or id, or a signature that is none.
std::string sign_jws(std::string_view type, std::string_view key_id, std::string_view payload, Signer& signer,
                     Deadline deadline);

struct Jws {
  std::string type;
  std::string key_id;
  std::string payload;  // octets
};

// Reads without verifying: who signed it, to find the key. Throws Error{invalid_object}, "must be …" or "is …", unless
// it is one that sign_jws() could have made: no other algorithm, member or alphabet.
Jws read_jws(std::string_view text);
// Whether it is signed with this key, and the algorithm that it names is the key's. False also for what read_jws()
// refuses. Says nothing of its type: whoever asks compares that.
bool verifies_jws(std::string_view text, const PublicKey& key);

}  // namespace hsmsigner::crypto
