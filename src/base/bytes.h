// Octet strings and their text forms.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hsmsigner {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// Lower-case hexadecimal without separators.
std::string to_hex(ByteView bytes);
// Upper-case hexadecimal, as `openssl x509 -serial` prints it.
std::string to_upper_hex(ByteView bytes);
// Upper-case pairs joined by ':', as `openssl x509 -fingerprint` prints them.
std::string to_colon_hex(ByteView bytes);
// Either case, no separators; nothing when the text is not an even number of hexadecimal digits.
std::optional<Bytes> from_hex(std::string_view text);

}  // namespace hsmsigner
