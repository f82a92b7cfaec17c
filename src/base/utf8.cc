#include "base/utf8.h"

#include <algorithm>
#include <cstdint>

namespace hsmsigner {

std::optional<char32_t> next_code_point(std::string_view text, std::size_t& at) {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = octet(at);
  if (first < 0x80) {
    ++at;
    return first;
  }
  std::size_t following = 0;
  char32_t value = 0;
  char32_t least = 0;
  if (first >= 0xc2 && first <= 0xdf) {
    following = 1, value = first & 0x1fU, least = 0x80;
  } else if (first >= 0xe0 && first <= 0xef) {
    following = 2, value = first & 0x0fU, least = 0x800;
  } else if (first >= 0xf0 && first <= 0xf4) {
    following = 3, value = first & 0x07U, least = 0x10000;
  } else {
    return std::nullopt;
  }
  if (text.size() - at <= following) return std::nullopt;
  for (std::size_t i = 1; i <= following; ++i) {
    if ((octet(at + i) & 0xc0) != 0x80) return std::nullopt;
    value = (value << 6) | (octet(at + i) & 0x3fU);
  }
  if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return std::nullopt;
  at += following + 1;
  return value;
}

bool is_ascii(std::string_view text) noexcept {
  return std::ranges::none_of(text, [](char c) { return (static_cast<std::uint8_t>(c) & 0x80) != 0; });
}

std::optional<std::size_t> utf8_length(std::string_view text) {
  if (is_ascii(text)) return text.size();  // nearly all are, and this is many octets at a time
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    if (!next_code_point(text, at)) return std::nullopt;
  }
  return count;
}

}  // namespace hsmsigner
