// Reads a line of JSON member by member. It need not be stricter than JSON is: who calls it writes what was read once
// more (canonical_json.h) and takes it only if that gives the same text. Private to this room.
#pragma once

#include <rapidjson/document.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace hsmsigner::audit {

class ObjectReader {
 public:
  // Of anything but one JSON object of at most kLongestLine octets, no member is there.
  explicit ObjectReader(std::string_view text);

  // Nothing when there is no such member, or it is of another type.
  std::optional<std::string> text(std::string_view name) const;
  std::optional<std::uint64_t> number(std::string_view name) const;
  // "2026-11-24T12:00:00.123Z"
  std::optional<UnixMillis> time(std::string_view name) const;
  // 64 lower-case hexadecimal digits.
  std::optional<std::string> sha256(std::string_view name) const;
  // A member of an object; `name` stands in that.
  std::optional<std::string> text(std::string_view object, std::string_view name) const;
  std::optional<std::uint64_t> number(std::string_view object, std::string_view name) const;
  std::optional<bool> flag(std::string_view object, std::string_view name) const;
  // An object of texts, in its order; nothing also when a name is there twice.
  std::optional<std::vector<std::pair<std::string, std::string>>> texts(std::string_view name) const;

 private:
  const rapidjson::Value* member(std::string_view name) const;
  const rapidjson::Value* member(std::string_view object, std::string_view name) const;

  rapidjson::Document document_;
};

}  // namespace hsmsigner::audit
