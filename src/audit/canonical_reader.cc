#include "audit/canonical_reader.h"

#include <rapidjson/memorystream.h>

#include <algorithm>
#include <set>

#include "audit/event_line.h"

namespace hsmsigner::audit {
namespace {

std::string string_of(const rapidjson::Value& value) { return {value.GetString(), value.GetStringLength()}; }

std::optional<std::string> text_of(const rapidjson::Value* value) {
  return value != nullptr && value->IsString() ? std::optional(string_of(*value)) : std::nullopt;
}

std::optional<std::uint64_t> number_of(const rapidjson::Value* value) {
  return value != nullptr && value->IsUint64() ? std::optional(value->GetUint64()) : std::nullopt;
}

const rapidjson::Value* member_of(const rapidjson::Value* object, std::string_view name) {
  if (object == nullptr || !object->IsObject()) return nullptr;
  const auto found = object->FindMember(
      rapidjson::Value(rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size()))));
  return found == object->MemberEnd() ? nullptr : &found->value;
}

}  // namespace

ObjectReader::ObjectReader(std::string_view text) {
  // RapidJSON takes a NUL for the end of the text, whatever follows.
  if (text.size() > kLongestLine || text.find('\0') != std::string_view::npos) return;
  rapidjson::MemoryStream stream(text.data(), text.size());
  // Iterative, so that a deep text cannot exhaust the stack.
  document_.ParseStream<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag>(stream);
}

std::optional<std::string> ObjectReader::text(std::string_view name) const { return text_of(member(name)); }

std::optional<std::string> ObjectReader::text(std::string_view object, std::string_view name) const {
  return text_of(member(object, name));
}

std::optional<std::uint64_t> ObjectReader::number(std::string_view name) const { return number_of(member(name)); }

std::optional<std::uint64_t> ObjectReader::number(std::string_view object, std::string_view name) const {
  return number_of(member(object, name));
}

std::optional<bool> ObjectReader::flag(std::string_view object, std::string_view name) const {
  const rapidjson::Value* const value = member(object, name);
  return value != nullptr && value->IsBool() ? std::optional(value->GetBool()) : std::nullopt;
}

std::optional<UnixMillis> ObjectReader::time(std::string_view name) const {
  const std::optional<std::string> value = text(name);
  return value ? parse_date_time(*value) : std::nullopt;
}

std::optional<std::string> ObjectReader::sha256(std::string_view name) const {
  std::optional<std::string> value = text(name);
  if (!value || value->size() != 64) return std::nullopt;
  const bool digits = std::all_of(value->begin(), value->end(),
                                  [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return digits ? value : std::nullopt;
}

std::optional<std::vector<std::pair<std::string, std::string>>> ObjectReader::texts(std::string_view name) const {
  const rapidjson::Value* const value = member(name);
  if (value == nullptr || !value->IsObject()) return std::nullopt;
  std::vector<std::pair<std::string, std::string>> texts;
  std::set<std::string> names;
  for (const auto& entry : value->GetObject()) {
    if (!entry.value.IsString() || !names.insert(string_of(entry.name)).second) return std::nullopt;
    texts.emplace_back(string_of(entry.name), string_of(entry.value));
  }
  return texts;
}

const rapidjson::Value* ObjectReader::member(std::string_view name) const {
  return document_.HasParseError() ? nullptr : member_of(&document_, name);
}

const rapidjson::Value* ObjectReader::member(std::string_view object, std::string_view name) const {
  return member_of(member(object), name);
}

}  // namespace hsmsigner::audit
