#include "base/uuid.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace hsmsigner {
namespace {

constexpr bool is_dash_position(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

Uuid Uuid::random() {
  Uuid uuid;
  // Up to 256 octets come whole or not at all (getrandom(2)).
  if (::getrandom(uuid.octets_.data(), uuid.octets_.size(), 0) != static_cast<ssize_t>(uuid.octets_.size())) {
    throw Error(ErrorKind::internal_error).with_cause(std::string("getrandom: ") + std::strerror(errno));
  }
  uuid.octets_[6] = static_cast<std::uint8_t>((uuid.octets_[6] & 0x0f) | 0x40);
  uuid.octets_[8] = static_cast<std::uint8_t>((uuid.octets_[8] & 0x3f) | 0x80);
  return uuid;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash_position(i) != (text[i] == '-')) return std::nullopt;
    if (text[i] != '-') digits += text[i];
  }
  const auto bytes = from_hex(digits);
  return bytes ? from_bytes(*bytes) : std::nullopt;
}

std::optional<Uuid> Uuid::from_bytes(ByteView bytes) {
  Uuid uuid;
  if (bytes.size() != uuid.octets_.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), uuid.octets_.begin());
  return uuid;
}

std::string Uuid::to_string() const {
  std::string text = to_hex(octets_);
  for (const std::size_t position : {8U, 13U, 18U, 23U}) text.insert(position, 1, '-');
  return text;
}

}  // namespace hsmsigner
