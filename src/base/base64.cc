#include "base/base64.h"

#include <array>

namespace hsmsigner {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNone = 0xff;

using Inverse = std::array<std::uint8_t, 256>;

constexpr Inverse inverse_of(std::string_view alphabet) {
  Inverse inverse{};
  for (std::uint8_t& value : inverse) value = kNone;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    inverse[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return inverse;
}
constexpr Inverse kStandardInverse = inverse_of(kStandard);
constexpr Inverse kUrlInverse = inverse_of(kUrl);

std::string encode(ByteView bytes, std::string_view alphabet, bool padded) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const unsigned group = static_cast<unsigned>(bytes[i]) << 16 |
                           (left > 1 ? static_cast<unsigned>(bytes[i + 1]) << 8 : 0U) |
                           (left > 2 ? static_cast<unsigned>(bytes[i + 2]) : 0U);
    text += alphabet[group >> 18 & 63U];
    text += alphabet[group >> 12 & 63U];
    if (left > 1) text += alphabet[group >> 6 & 63U];
    if (left > 2) text += alphabet[group & 63U];
    if (padded && left < 3) text.append(3 - left, '=');
  }
  return text;
}

bool is_blank(char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; }

enum class Form { file, url };

// `octets` has room from the start, so that growing leaves no copy of a secret behind.
bool decode(std::string_view text, Form form, Bytes& octets) {
  const Inverse& inverse = form == Form::file ? kStandardInverse : kUrlInverse;
  octets.reserve(text.size() / 4 * 3 + 3);
  unsigned group = 0;
  unsigned digits = 0;
  unsigned padding = 0;
  for (const char c : text) {
    if (form == Form::file && is_blank(c)) continue;
    if (form == Form::file && c == '=') {
      if (++padding > 2) return false;
      continue;
    }
    const std::uint8_t value = inverse[static_cast<unsigned char>(c)];
    if (value == kNone || padding > 0) return false;
    group = group << 6 | value;
    if (++digits % 4 != 0) continue;
    octets.push_back(static_cast<std::uint8_t>(group >> 16));
    octets.push_back(static_cast<std::uint8_t>(group >> 8 & 0xffU));
    octets.push_back(static_cast<std::uint8_t>(group & 0xffU));
    group = 0;
  }
  const unsigned rest = digits % 4;
  if (form == Form::file && padding != (rest == 0 ? 0U : 4U - rest)) return false;
  switch (rest) {
    case 0: return true;
    case 2: octets.push_back(static_cast<std::uint8_t>(group >> 4)); return (group & 0xfU) == 0;
    case 3:
      octets.push_back(static_cast<std::uint8_t>(group >> 10));
      octets.push_back(static_cast<std::uint8_t>(group >> 2 & 0xffU));
      return (group & 3U) == 0;
    default: return false;
  }
}

}  // namespace

std::string to_base64(ByteView bytes) { return encode(bytes, kStandard, true); }
std::string to_base64url(ByteView bytes) { return encode(bytes, kUrl, false); }

std::optional<Bytes> from_base64(std::string_view text) {
  Bytes octets;
  if (!decode(text, Form::file, octets)) return std::nullopt;
  return octets;
}

std::optional<Secret> secret_from_base64(std::string_view text) {
  Bytes octets;
  const bool good = decode(text, Form::file, octets);
  std::optional<Secret> secret;
  if (good) secret.emplace(ByteView(octets));
  cleanse(octets);
  return secret;
}

std::optional<Bytes> from_base64url(std::string_view text) {
  Bytes octets;
  if (!decode(text, Form::url, octets)) return std::nullopt;
  return octets;
}

}  // namespace hsmsigner
