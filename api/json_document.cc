#include "api/json_document.h"

#include <malloc.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "api/text_rules.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/utf8.h"

namespace hsmsigner::api {
namespace {

// Iterative, so that a deep text cannot exhaust the stack before the depth is seen.
constexpr unsigned kFlags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag;

[[noreturn]] void refuse(std::string sentence) { throw Error(ErrorKind::malformed_command, {std::move(sentence)}); }

// First pass: what RapidJSON itself does not check.
class Shape : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Shape> {
 public:
  std::string fault;

  bool StartObject() {
    names_.emplace_back();
    return enter();
  }
  bool EndObject(rapidjson::SizeType) {
    names_.pop_back();
    --depth_;
    return true;
  }
  bool StartArray() { return enter(); }
  bool EndArray(rapidjson::SizeType) {
    --depth_;
    return true;
  }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    const std::string name(text, length);
    if (!utf8_length(name)) return fail("the body has an escaped half of a surrogate pair");
    if (!names_.back().insert(name).second)
      return fail("the body has the name \"" + shown(name) + "\" twice in one object");
    return true;
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    // A lone "\udc00" passes through some versions of RapidJSON and is no character.
    return utf8_length({text, length}) ? true : fail("the body has an escaped half of a surrogate pair");
  }

 private:
  bool enter() {
    return ++depth_ <= kMaxJsonDepth
               ? true
               : fail("the body is nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
  }
  bool fail(std::string sentence) {
    fault = std::move(sentence);
    return false;
  }

  std::size_t depth_ = 0;
  std::vector<std::set<std::string>> names_;
};

}  // namespace

void* WipingAllocator::Malloc(std::size_t size) {
  if (size == 0) return nullptr;
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// Never realloc(): it would leave the old octets where they were.
void* WipingAllocator::Realloc(void* old, std::size_t old_size, std::size_t size) {
  void* const memory = Malloc(size);
  if (old != nullptr && memory != nullptr) std::memcpy(memory, old, std::min(old_size, size));
  Free(old);
  return memory;
}

void WipingAllocator::Free(void* memory) noexcept {
  if (memory == nullptr) return;
  cleanse(memory, ::malloc_usable_size(memory));
  std::free(memory);
}

JsonDocument parse_json(std::string_view text) {
  if (!utf8_length(text)) refuse("the body is not UTF-8");
  // RapidJSON takes a NUL for the end of the text, whatever follows.
  if (text.find('\0') != std::string_view::npos) refuse("the body holds a NUL character");
  Shape shape;
  rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, WipingAllocator> reader;
  rapidjson::MemoryStream first_pass(text.data(), text.size());
  if (const auto result = reader.Parse<kFlags>(first_pass, shape); result.IsError()) {
    if (!shape.fault.empty()) refuse(shape.fault);
    refuse("the body is not JSON: " + std::string(rapidjson::GetParseError_En(result.Code())) + " (at octet " +
           std::to_string(result.Offset()) + ")");
  }
  JsonDocument document;
  rapidjson::MemoryStream second_pass(text.data(), text.size());
  document.ParseStream<kFlags>(second_pass);
  if (document.HasParseError()) refuse("the body is not JSON");
  return document;
}

}  // namespace hsmsigner::api
