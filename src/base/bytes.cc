#include "base/bytes.h"

namespace hsmsigner {
namespace {

std::string encode(ByteView bytes, std::string_view digits, bool colons) {
  std::string text;
  text.reserve(bytes.size() * (colons ? 3 : 2));
  for (std::uint8_t byte : bytes) {
    if (colons && !text.empty()) text += ':';
    text += digits[byte >> 4];
    text += digits[byte & 0x0f];
  }
  return text;
}

std::optional<std::uint8_t> nibble(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

constexpr std::string_view kLower = "0123456789abcdef";
constexpr std::string_view kUpper = "0123456789ABCDEF";

}  // namespace

std::string to_hex(ByteView bytes) { return encode(bytes, kLower, false); }
std::string to_upper_hex(ByteView bytes) { return encode(bytes, kUpper, false); }
std::string to_colon_hex(ByteView bytes) { return encode(bytes, kUpper, true); }

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = nibble(text[i]);
    const auto low = nibble(text[i + 1]);
    if (!high || !low) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(*high << 4 | *low));
  }
  return bytes;
}

}  // namespace hsmsigner
