// JSON as the contract takes it: strict RFC 8259, UTF-8, no duplicate names, at most 16 levels deep.
#pragma once

#include <rapidjson/document.h>

#include <cstddef>
#include <string_view>

namespace hsmsigner::api {

inline constexpr std::size_t kMaxJsonDepth = 16;

// Gives memory back wiped: bodies hold keys and passphrases. RapidJSON's Allocator concept.
class WipingAllocator {
 public:
  static const bool kNeedFree = true;
  void* Malloc(std::size_t size);
  void* Realloc(void* old, std::size_t old_size, std::size_t size);
  static void Free(void* memory) noexcept;
};

using JsonDocument =
    rapidjson::GenericDocument<rapidjson::UTF8<>, rapidjson::MemoryPoolAllocator<WipingAllocator>, WipingAllocator>;
using JsonValue = JsonDocument::ValueType;

// Throws Error{malformed_command} with a sentence that says what is wrong and where.
JsonDocument parse_json(std::string_view text);

inline std::string_view text_of(const JsonValue& value) { return {value.GetString(), value.GetStringLength()}; }

}  // namespace hsmsigner::api
