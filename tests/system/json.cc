#include "system/json.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <stdexcept>

namespace system_test {

struct JsonReader {
  static Json convert(const rapidjson::Value& value) {
    Json result;
    if (value.IsNull()) {
      result.kind_ = Json::Kind::null;
    } else if (value.IsBool()) {
      result.kind_ = Json::Kind::boolean;
      result.boolean_ = value.GetBool();
    } else if (value.IsInt64()) {
      result.kind_ = Json::Kind::integer;
      result.integer_ = value.GetInt64();
    } else if (value.IsNumber()) {
      result.kind_ = Json::Kind::real;
    } else if (value.IsString()) {
      result.kind_ = Json::Kind::text;
      result.text_ = std::string(value.GetString(), value.GetStringLength());
    } else if (value.IsArray()) {
      result.kind_ = Json::Kind::array;
      for (const auto& item : value.GetArray()) result.items_.push_back(convert(item));
    } else {
      result.kind_ = Json::Kind::object;
      for (const auto& member : value.GetObject()) {
        result.members_.emplace_back(std::string(member.name.GetString(), member.name.GetStringLength()),
                                     convert(member.value));
      }
    }
    return result;
  }
};

Json Json::parse(const std::string& text) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  if (document.HasParseError()) {
    throw std::runtime_error(std::string("not JSON (") + rapidjson::GetParseError_En(document.GetParseError()) +
                             "): " + text);
  }
  return JsonReader::convert(document);
}

const Json& Json::operator[](const std::string& name) const {
  static const Json absent;
  const auto found = std::ranges::find_if(members_, [&](const auto& member) { return member.first == name; });
  return found == members_.end() ? absent : found->second;
}

const Json& Json::at(std::size_t index) const {
  static const Json absent;
  return index < items_.size() ? items_[index] : absent;
}

std::vector<std::string> Json::names() const {
  std::vector<std::string> result;
  for (const auto& [name, value] : members_) result.push_back(name);
  return result;
}

const std::string& Json::text() const {
  if (kind_ != Kind::text) throw std::runtime_error("the JSON value is no string");
  return text_;
}

std::int64_t Json::integer() const {
  if (kind_ != Kind::integer) throw std::runtime_error("the JSON value is no integer");
  return integer_;
}

bool Json::boolean() const {
  if (kind_ != Kind::boolean) throw std::runtime_error("the JSON value is no boolean");
  return boolean_;
}

std::vector<std::string> Json::texts() const {
  if (kind_ != Kind::array) throw std::runtime_error("the JSON value is no array");
  std::vector<std::string> result;
  for (const Json& item : items_) result.push_back(item.text());
  return result;
}

std::string quote(const std::string& text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return std::string(buffer.GetString(), buffer.GetSize());
}

std::string quote_all(const std::vector<std::string>& texts) {
  std::string result;
  for (const std::string& text : texts) result += (result.empty() ? "" : ",") + quote(text);
  return "[" + result + "]";
}

Body& Body::set(const std::string& name, const std::string& json) {
  const auto found = std::ranges::find_if(fields_, [&](const auto& field) { return field.first == name; });
  if (found == fields_.end()) {
    fields_.emplace_back(name, json);
  } else {
    found->second = json;
  }
  return *this;
}

Body& Body::drop(const std::string& name) {
  std::erase_if(fields_, [&](const auto& field) { return field.first == name; });
  return *this;
}

std::string Body::json() const {
  std::string result;
  for (const auto& [name, value] : fields_) result += (result.empty() ? "" : ",") + quote(name) + ":" + value;
  return "{" + result + "}";
}

Body certificate(const std::string& name) {
  return Body()
      .text("folder", "Shared")
      .set("algorithm", R"({"ecdsa_number_of_bits":256})")
      .text("certificate_name", name)
      .text("common_name", "Test " + name)
      .text("digest", "sha256");
}

}  // namespace system_test
