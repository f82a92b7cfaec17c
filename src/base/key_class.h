// What keys of one stock have in common: algorithm, size, and whether they may ever leave the token.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/algorithm.h"

namespace hsmsigner {

struct KeyClass {
  KeyAlgorithm algorithm;
  bool block_export = true;
  auto operator<=>(const KeyClass&) const = default;

  // "P-256"; "P-256/exportable" without the export block.
  std::string to_string() const;
  // Nothing for any other text.
  static std::optional<KeyClass> parse(std::string_view text);
};

}  // namespace hsmsigner
