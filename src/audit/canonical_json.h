// JSON that can be written in one way only: members in a fixed order, no blanks, one form of every character. Private
// to this room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hsmsigner::audit {

class CanonicalObject {
 public:
  void text(std::string_view name, std::string_view value);
  void number(std::string_view name, std::uint64_t value);
  void flag(std::string_view name, bool value);
  void object(std::string_view name, const CanonicalObject& value);
  std::string finished() const { return "{" + members_ + "}"; }

 private:
  void name(std::string_view name);
  std::string members_;
};

}  // namespace hsmsigner::audit
