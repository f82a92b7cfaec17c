// JSON as the tests read and write it: answers become a plain tree of values, request bodies are put together field by
// field so that a test can break exactly one of them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace system_test {

class Json {
 public:
  enum class Kind { absent, null, boolean, integer, real, text, array, object };

  // Throws std::runtime_error with the text when it is not JSON.
  static Json parse(const std::string& text);

  Kind kind() const { return kind_; }
  bool exists() const { return kind_ != Kind::absent; }
  // The member of this name; a value of kind absent when there is none.
  const Json& operator[](const std::string& name) const;
  // The item at this place; absent past the end.
  const Json& at(std::size_t index) const;
  const std::vector<Json>& items() const { return items_; }
  const std::vector<std::pair<std::string, Json>>& members() const { return members_; }
  std::vector<std::string> names() const;

  // Each throws std::runtime_error when the value is of another kind.
  const std::string& text() const;
  std::int64_t integer() const;
  bool boolean() const;
  std::vector<std::string> texts() const;

 private:
  friend struct JsonReader;
  Kind kind_ = Kind::absent;
  bool boolean_ = false;
  std::int64_t integer_ = 0;
  std::string text_;
  std::vector<Json> items_;
  std::vector<std::pair<std::string, Json>> members_;
};

// A JSON string, quoted and escaped.
std::string quote(const std::string& text);
std::string quote_all(const std::vector<std::string>& texts);

// A request body.
class Body {
 public:
  // `json` goes in as it stands.
  Body& set(const std::string& name, const std::string& json);
  Body& text(const std::string& name, const std::string& value) { return set(name, quote(value)); }
  Body& drop(const std::string& name);
  std::string json() const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// The least that POST /certificates takes: a self-signed P-256 certificate with SHA-256 in folder "Shared", whose
// common name is not a host name.
Body certificate(const std::string& name);

}  // namespace system_test
