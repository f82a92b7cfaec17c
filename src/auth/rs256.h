// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 3.3), as far as it needs no private key. Private to this room.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/signer.h"

namespace hsmsigner::auth {

Bytes sha256(std::string_view text);

// Throws Error{internal_error} when `key` is no key.
bool rs256_verifies(const RsaPublicKey& key, std::string_view text, ByteView signature);

}  // namespace hsmsigner::auth
