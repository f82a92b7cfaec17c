// RFC 9562 UUIDs: the id of a certificate, whose 16 octets are also the CKA_ID of its key.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace hsmsigner {

class Uuid {
 public:
  // Version 4 (RFC 9562 5.4) from the operating system's random source; throws Error{internal_error} if there is none.
  static Uuid random();
  // The 36-character form in either case; nothing for any other text.
  static std::optional<Uuid> parse(std::string_view text);
  // Nothing unless given exactly 16 octets.
  static std::optional<Uuid> from_bytes(ByteView bytes);

  // Lower-case, 8-4-4-4-12.
  std::string to_string() const;
  ByteView bytes() const noexcept { return octets_; }

  auto operator<=>(const Uuid&) const = default;

 private:
  Uuid() = default;
  std::array<std::uint8_t, 16> octets_{};
};

}  // namespace hsmsigner

template <>
struct std::hash<hsmsigner::Uuid> {
  std::size_t operator()(const hsmsigner::Uuid& uuid) const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(uuid.bytes().data()), uuid.bytes().size()});
  }
};
