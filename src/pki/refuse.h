// How this room says what is wrong with what it was given. Private to this room.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace hsmsigner::pki {

// Throws Error{invalid_object} with "<field>: <why>", which is public.
[[noreturn]] inline void refuse(std::string_view field, std::string_view why, SourcePlace where = SourcePlace::here()) {
  throw Error(ErrorKind::invalid_object, {std::string(field) + ": " + std::string(why)}, where);
}

// "1 private key", "3 private keys".
inline std::string counted(std::size_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

}  // namespace hsmsigner::pki
