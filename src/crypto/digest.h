// Digests of octets in memory.
#pragma once

#include <string_view>

#include "base/algorithm.h"
#include "base/bytes.h"

namespace hsmsigner::crypto {

// As many octets as the table of digests says. Throws Error{internal_error}. Thread safe.
Bytes hash(Digest digest, ByteView data);
// 64 lower-case hexadecimal digits, as `openssl dgst -sha256 -r` prints them.
std::string sha256_hex(std::string_view text);

}  // namespace hsmsigner::crypto
