// Writing JSON answers, member by member.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_document.h"

namespace hsmsigner::api {

// Text must be UTF-8.
class JsonWriter {
 public:
  // Octets that are made room for at once; more are made as they are needed, each time with all that is there moved and
  // wiped.
  explicit JsonWriter(std::size_t expected = 1024) : buffer_(nullptr, expected) {}

  void open_object() { writer_.StartObject(); }
  void open_object(std::string_view name) {
    key(name);
    open_object();
  }
  void close_object() { writer_.EndObject(); }
  void open_array(std::string_view name) {
    key(name);
    writer_.StartArray();
  }
  void close_array() { writer_.EndArray(); }
  void text(std::string_view value) { writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size())); }
  // A value that is JSON already.
  void raw(std::string_view json) { writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType); }

  void field(std::string_view name, std::string_view value) {
    key(name);
    text(value);
  }
  void flag(std::string_view name, bool value) {
    key(name);
    writer_.Bool(value);
  }
  void number(std::string_view name, std::size_t value) {
    key(name);
    writer_.Uint64(value);
  }
  void null(std::string_view name) {
    key(name);
    writer_.Null();
  }
  void texts(std::string_view name, const std::vector<std::string>& values) {
    open_array(name);
    for (const std::string& value : values) text(value);
    close_array();
  }
  std::string finished() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  void key(std::string_view name) { writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); }

  // Answers hold client secrets and access tokens.
  using Buffer = rapidjson::GenericStringBuffer<rapidjson::UTF8<>, WipingAllocator>;
  Buffer buffer_;
  rapidjson::Writer<Buffer> writer_{buffer_};
};

}  // namespace hsmsigner::api
