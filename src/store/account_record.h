// Accounts and the keys that sign their access tokens, as the store keeps them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/uuid.h"

namespace hsmsigner::store {

// A client secret, hashed (auth/secret_hash.h).
struct SecretHash {
  Bytes salt;
  Bytes hash;
  bool operator==(const SecretHash&) const = default;
};

struct AccountRecord {
  std::string client_id;
  std::string description;
  bool enabled = true;
  std::vector<std::string> grants;  // auth::Grant::to_string(), "issuer=folder:Payments"
  SecretHash secret;
  bool secret_initial = true;                 // handed out by an administrator, not yet rotated by its holder
  std::optional<SecretHash> previous_secret;  // still taken until previous_secret_end
  UnixTime previous_secret_end;
  std::optional<UnixTime> expires_at;   // of the account: none, never
  std::uint64_t generation = 0;         // access tokens of another one are void
  std::string certificate_fingerprint;  // of a bound client certificate, AA:BB:… of SHA-256; "": none
  std::string certificate_subject;      // of bound client certificates, OpenSSL's one-line form; "": none
  UnixTime created_at;
  UnixTime changed_at;
};

// An RSA key in the token that signs access tokens. Its id is the JWT's `kid` and the key's CKA_ID.
struct AccessTokenKeyRecord {
  Uuid id;
  Bytes modulus;  // big-endian, no leading zeros
  Bytes exponent;
  UnixTime created_at;
  std::optional<UnixTime> retired_at;  // signs no more from then on
};

}  // namespace hsmsigner::store
