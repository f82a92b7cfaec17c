// Reading a JSON object field by field: every fault is noted, none ends the reading (HTTP contract, section 5: all
// faults at once).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_document.h"
#include "base/container.h"
#include "base/secret.h"

namespace hsmsigner::api {

// Sentences, each beginning with its field's path. More than a page of them help nobody and are only counted.
class Faults {
 public:
  void add(std::string_view path, std::string_view sentence);
  bool empty() const noexcept { return sentences_.empty(); }
  // What was noted; this object is empty then.
  std::vector<std::string> take();

 private:
  std::vector<std::string> sentences_;
  std::size_t untold_ = 0;
};

// 2048 and 2048.0 alike; nothing for anything else, and for what a double cannot tell exactly.
std::optional<long long> whole_number(const JsonValue& value);

// Text of `least` to `most` characters without control characters; nothing, and a fault, for any other value.
std::optional<std::string> read_text(Faults& faults, const std::string& path, const JsonValue& value, std::size_t least,
                                     std::size_t most);

enum class Need { optional, required };

// The container in the body, or the one of the query; both only if equal.
std::optional<Container> read_container(Faults& faults, const JsonValue& body, const std::optional<Container>& in_query,
                                        Need need);

// For bodies of a handful of fields. Each field is asked for once; finish() refuses those that nobody asked for.
class Form {
 public:
  // `body` is an object and outlives this.
  explicit Form(const JsonValue& body) : body_(body) {}

  const JsonValue* member(std::string_view name, Need need = Need::optional);
  std::optional<std::string> text(std::string_view name, std::size_t least, std::size_t most,
                                  Need need = Need::optional);
  // The same for what must be wiped; may hold any characters.
  std::optional<Secret> secret(std::string_view name, std::size_t most_octets);
  // A file: its octets in Base64, or PEM as it is.
  std::optional<Secret> file(std::string_view name, Need need = Need::optional);
  bool boolean(std::string_view name, bool otherwise);
  std::optional<long long> integer(std::string_view name, long long least, long long most);
  std::optional<Container> container(const std::optional<Container>& in_query, Need need);

  Faults& faults() noexcept { return faults_; }
  // Every fault there is.
  std::vector<std::string> finish();

 private:
  const JsonValue& body_;
  std::vector<std::string> known_;
  Faults faults_;
};

}  // namespace hsmsigner::api
