// Hashing and sealing of what is kept for a request that may be sent again (Idempotency-Key). Who has the database, but
// not the caller's key, can read neither the key nor the answer, which may hold a client secret.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"

namespace hsmsigner::auth {

// HMAC-SHA-256 keyed with `key`, lower-case hexadecimal: the primary key of a kept answer, and what tells whether another
// request is the same. `purpose` keeps uses apart.
std::string keyed_digest(std::string_view key, std::string_view purpose, std::string_view data = {});

// AES-256-GCM (NIST SP 800-38D) under a key made of `key` by HMAC-SHA-256, bound to `context`; nonce, octets and tag in
// Base64.
std::string seal(std::string_view key, std::string_view context, std::string_view plain);
// Nothing when it was not sealed with this key and context, or was changed.
std::optional<Secret> open_sealed(std::string_view key, std::string_view context, std::string_view sealed);

}  // namespace hsmsigner::auth
