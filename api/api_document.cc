#include "api/api_document.h"

// std::regex rather than RapidJSON's own, whose search writes into the compiled pattern: two threads could not use one.
// Defining it is what switches RapidJSON's off. Patterns see short text only: every schema with one has a maxLength,
// which is checked first.
#define RAPIDJSON_SCHEMA_USE_INTERNALREGEX 0
#include <rapidjson/schema.h>

#include <span>
#include <stdexcept>

#include "api/text_rules.h"

namespace hsmsigner::api {

extern const std::span<const std::string_view> kApiDocumentText;  // made by embed_text.cmake

namespace {

using rapidjson::Value;

constexpr std::string_view kSchemas = "#/components/schemas/";
constexpr std::string_view kMethods[] = {"get", "put", "post", "delete", "options", "head", "patch", "trace"};
constexpr std::size_t kMaxInlining = 32;

[[noreturn]] void refuse(const std::string& sentence) { throw std::invalid_argument("OpenAPI document: " + sentence); }

std::string text_in(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

template <typename AnyValue>
const AnyValue* member(const AnyValue& object, std::string_view name) {
  if (!object.IsObject()) return nullptr;
  const auto found =
      object.FindMember(AnyValue(rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size()))));
  return found == object.MemberEnd() ? nullptr : &found->value;
}

// A copy in which the schemas themselves stand where a $ref named them: RapidJSON resolves some references wrongly.
Value inlined(const Value& value, const Value& schemas, rapidjson::Document::AllocatorType& memory, std::size_t depth) {
  if (depth > kMaxInlining) refuse("the schemas refer to each other in a circle");
  if (value.IsArray()) {
    Value copy(rapidjson::kArrayType);
    for (const Value& item : value.GetArray()) copy.PushBack(inlined(item, schemas, memory, depth + 1), memory);
    return copy;
  }
  if (!value.IsObject()) return Value(value, memory);
  if (const Value* const reference = member(value, "$ref"); reference != nullptr && reference->IsString()) {
    const std::string target = text_in(*reference);
    const Value* schema = nullptr;
    if (target.starts_with(kSchemas)) schema = member(schemas, target.substr(kSchemas.size()));
    if (schema == nullptr) refuse("no schema is called " + target);
    return inlined(*schema, schemas, memory, depth + 1);
  }
  Value copy(rapidjson::kObjectType);
  for (const auto& field : value.GetObject()) {
    copy.AddMember(Value(field.name, memory), inlined(field.value, schemas, memory, depth + 1), memory);
  }
  return copy;
}

// The value that the pointer leads to, and its path as an error says it; "" for the body itself.
struct Place {
  const JsonValue* value;
  std::string path;
};

Place follow(const rapidjson::SchemaDocument::PointerType& pointer, const JsonValue& body) {
  Place place{&body, ""};
  for (std::size_t i = 0; i < pointer.GetTokenCount(); ++i) {
    const auto& token = pointer.GetTokens()[i];
    const std::string_view name(token.name, token.length);
    if (place.value != nullptr && place.value->IsArray()) {
      place.path += "[" + std::string(name) + "]";
      place.value = token.index < place.value->Size() ? &(*place.value)[token.index] : nullptr;
    } else {
      place.path += (place.path.empty() ? "" : ".") + shown(name, 64);
      place.value = place.value == nullptr ? nullptr : member(*place.value, name);
    }
  }
  return place;
}

std::string number_of(const Value& rule, std::string_view keyword) {
  const Value* const value = member(rule, keyword);
  if (value != nullptr && value->IsInt64()) return std::to_string(value->GetInt64());
  return value != nullptr && value->IsDouble() ? std::to_string(value->GetDouble()) : "";
}

std::string kind_of(const Value& rule) {
  const Value* const type = member(rule, "type");
  const std::string name = type != nullptr && type->IsString() ? text_in(*type) : "";
  if (name == "object") return "must be an object";
  if (name == "array") {
    const Value* const items = member(rule, "items");
    const Value* const inner = items == nullptr ? nullptr : member(*items, "type");
    return inner != nullptr && *inner == "string" ? "must be an array of strings" : "must be an array";
  }
  if (name == "string") return "must be a string";
  if (name == "boolean") return "must be true or false";
  return member(rule, "multipleOf") != nullptr || name == "integer" ? "must be a whole number" : "must be a number";
}

// As api/form.cc and api/generate_body.cc say it.
std::string length_of(const Value& rule) {
  const std::string least = number_of(rule, "minLength");
  const std::string most = number_of(rule, "maxLength");
  if (least == most) return "must have exactly " + most + " characters";
  if (least.empty()) return "must have at most " + most + " characters";
  return "must have " + least + " to " + most + " characters";
}

std::string choice_of(const Value& rule) {
  std::string names;
  for (const Value& choice : member(rule, "enum")->GetArray()) {
    names += names.empty() ? "" : ", ";
    names += choice.IsString() ? text_in(choice) : std::to_string(choice.GetInt64());
  }
  return "must be one of " + names;
}

// The end of a sentence: what `rule` asks for by its keyword.
std::string demand_of(const Value& rule, std::string_view keyword) {
  if (keyword == "type") return kind_of(rule);
  if (keyword == "minLength" || keyword == "maxLength") return length_of(rule);
  if (keyword == "enum") return choice_of(rule);
  if (keyword == "multipleOf") return "must be a whole number";
  if (keyword == "minimum") return "must be at least " + number_of(rule, keyword);
  if (keyword == "maximum") return "must be at most " + number_of(rule, keyword);
  if (keyword == "minItems") return "must have at least " + number_of(rule, keyword) + " items";
  if (keyword == "maxItems") return "must have at most " + number_of(rule, keyword) + " items";
  if (keyword == "additionalProperties") return "unknown field";
  // What no keyword tells well, the document itself says.
  const Value* const sentence = member(rule, "x-fault");
  if (sentence != nullptr && sentence->IsString()) return text_in(*sentence);
  return "does not match the schema (" + std::string(keyword) + ")";
}

}  // namespace

struct ApiDocument::Schema {
  rapidjson::Document source;
  std::unique_ptr<const rapidjson::SchemaDocument> compiled;

  Schema(const Value& schema, const Value& schemas) {
    Value copy = inlined(schema, schemas, source.GetAllocator(), 0);
    static_cast<Value&>(source).Swap(copy);
    compiled = std::make_unique<const rapidjson::SchemaDocument>(source);
  }
};

const ApiDocument& ApiDocument::built_in() {
  static const ApiDocument document([] {
    std::string text;
    for (const std::string_view chunk : kApiDocumentText) text += chunk;
    return text;
  }());
  return document;
}

ApiDocument::ApiDocument(std::string text) : text_(std::move(text)) {
  rapidjson::Document document;
  document.Parse(text_.data(), text_.size());
  if (document.HasParseError()) refuse("is not JSON");
  const Value* const paths = member<Value>(document, "paths");
  const Value* const components = member<Value>(document, "components");
  const Value* const schemas = components == nullptr ? nullptr : member(*components, "schemas");
  if (paths == nullptr || !paths->IsObject() || schemas == nullptr || !schemas->IsObject()) {
    refuse("has no paths or no components.schemas");
  }
  for (const auto& path : paths->GetObject()) {
    for (const std::string_view method : kMethods) {
      if (member(path.value, method) == nullptr) continue;
      std::string upper(method);
      for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
      operations_.emplace_back(std::move(upper), text_in(path.name));
    }
  }
  for (const auto& schema : schemas->GetObject()) {
    schemas_.emplace(text_in(schema.name), std::make_unique<const Schema>(schema.value, *schemas));
  }
}

ApiDocument::~ApiDocument() = default;

std::optional<std::string> ApiDocument::fault_of_body(std::string_view schema_name, const JsonValue& body) const {
  const auto found = schemas_.find(schema_name);
  if (found == schemas_.end()) throw std::out_of_range("OpenAPI document: no schema " + std::string(schema_name));
  const Schema& schema = *found->second;
  rapidjson::SchemaValidator validator(*schema.compiled);
  if (body.Accept(validator)) return std::nullopt;

  Place place = follow(validator.GetInvalidDocumentPointer(), body);
  const char* const said = validator.GetInvalidSchemaKeyword();
  const std::string_view keyword = said == nullptr ? "" : said;
  const Value* rule = validator.GetInvalidSchemaPointer().Get(schema.source);
  if (rule == nullptr) rule = &schema.source;
  if (keyword == "required" && place.value != nullptr) {
    for (const Value& name : member(*rule, "required")->GetArray()) {
      if (member(*place.value, text_in(name)) != nullptr) continue;
      return (place.path.empty() ? "" : place.path + ".") + text_in(name) + ": is required";
    }
  }
  return (place.path.empty() ? "body" : place.path) + ": " + demand_of(*rule, keyword);
}

std::vector<std::pair<std::string, std::string>> ApiDocument::operations() const { return operations_; }

}  // namespace hsmsigner::api
