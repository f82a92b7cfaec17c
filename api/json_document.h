// JSON as the contract takes it: strict RFC 8259, UTF-8, no duplicate names, at most 16 levels deep.
#pragma once

#include <rapidjson/document.h>

#include <cstddef>
#include <memory>
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

using JsonPool = rapidjson::MemoryPoolAllocator<WipingAllocator>;
using JsonTree = rapidjson::GenericDocument<rapidjson::UTF8<>, JsonPool, WipingAllocator>;
using JsonValue = JsonTree::ValueType;

struct JsonPoolOwner {
  // Chunks that hold a usual body: each is wiped whole, and RapidJSON's own would be of 64 KiB.
  static constexpr std::size_t kChunkOctets = 4096;
  std::unique_ptr<JsonPool> pool = std::make_unique<JsonPool>(kChunkOctets);
};

// The pool is a base, before the tree: it is there as long as the tree is.
class JsonDocument : private JsonPoolOwner, public JsonTree {
 public:
  JsonDocument() : JsonTree(pool.get()) {}
};

// Throws Error{malformed_command} with a sentence that says what is wrong and where.
JsonDocument parse_json(std::string_view text);

inline std::string_view text_of(const JsonValue& value) { return {value.GetString(), value.GetStringLength()}; }

}  // namespace hsmsigner::api
