// HMAC-SHA-256 (RFC 2104). Private to this room.
#pragma once

#include "base/bytes.h"

namespace hsmsigner::auth {

// 32 octets. Throws Error{internal_error}.
Bytes hmac_sha256(ByteView key, ByteView data);

}  // namespace hsmsigner::auth
