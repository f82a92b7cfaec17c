// The OpenAPI document of the service (api/openapi.json): what GET /openapi.json serves, and what request bodies are
// checked with.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json_document.h"

namespace hsmsigner::api {

// Immutable; thread safe.
class ApiDocument {
 public:
  // The one that is built in.
  static const ApiDocument& built_in();

  // Throws std::invalid_argument for a document that is not JSON or has a $ref that leads nowhere.
  explicit ApiDocument(std::string text);
  ~ApiDocument();
  ApiDocument(const ApiDocument&) = delete;
  ApiDocument& operator=(const ApiDocument&) = delete;

  std::string_view text() const noexcept { return text_; }

  // What is wrong with a body by components.schemas.<schema_name>: "department[1]: must have 1 to 64 characters",
  // "body: must be an object" for the body itself. The first fault only, and never a value of the body. Says less than
  // the reader of a body does (names must be well-formed, containers allowed, …), so that reader goes first. Throws
  // std::out_of_range for a schema that is not there.
  std::optional<std::string> fault_of_body(std::string_view schema_name, const JsonValue& body) const;

  // Every method, in upper case, with its path as the document writes it: {"POST", "/certificates/{id}:export"}. HEAD
  // is not among them: it goes with GET.
  std::vector<std::pair<std::string, std::string>> operations() const;

 private:
  struct Schema;
  std::string text_;
  std::vector<std::pair<std::string, std::string>> operations_;
  std::map<std::string, std::unique_ptr<const Schema>, std::less<>> schemas_;
};

}  // namespace hsmsigner::api
