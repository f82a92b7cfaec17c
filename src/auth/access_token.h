// Access tokens: JWTs (RFC 7519) signed with RS256 (RFC 7515, RFC 7518 3.3) by a key that is somewhere else.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/signer.h"

namespace hsmsigner::auth {

inline constexpr std::size_t kMaxAccessTokenOctets = 4096;
inline constexpr std::chrono::seconds kAccessTokenLifetime{900};

struct AccessTokenClaims {
  std::string client_id;         // sub and aud; printable ASCII, not empty
  std::string scope;             // as it was asked for; may be empty
  std::uint64_t generation = 0;  // of the account
  bool previous_secret = false;  // it was had with the secret of before: good for everything but another rotation
  std::string token_id;          // jti
  UnixTime issued_at;
  UnixTime expires_at;
};

// header.payload.signature. Header: alg RS256, typ JWT, kid. Payload: iss "hsm-signer", sub, aud, client_id, scope,
// iat, nbf, exp, jti, gen, prev. Throws what the signer throws, and before it is asked Error{invalid_object} naming
// "scope" when that is not UTF-8 or would make the token longer than kMaxAccessTokenOctets.
std::string issue_access_token(const AccessTokenClaims& claims, std::string_view kid, Signer& signer,
                               Deadline deadline);

// The public key of a kid, if it is one of ours.
using FindKey = std::function<std::optional<RsaPublicKey>(std::string_view kid)>;

// Takes only what issue_access_token() makes: RS256, one of our keys, every claim there and of its type and no other,
// iss ours, nbf at most 60 s ahead. Checks the signature before it looks at the claims. Throws Error: key_too_long over
// kMaxAccessTokenOctets; invalid_credential; key_expired from expires_at on. Cheap: no token operation. Thread safe if
// `find_key` is.
AccessTokenClaims verify_access_token(std::string_view token, const FindKey& find_key, UnixTime now);

// One JWK of a key (RFC 7517, RFC 7518 6.3.1), as a JSON object: kty, use, alg, kid, n, e.
std::string json_web_key(std::string_view kid, const RsaPublicKey& key);

}  // namespace hsmsigner::auth
