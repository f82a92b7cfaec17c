#include "api/schema_check.h"

#include "api/api_document.h"

namespace hsmsigner::api {

void check_schema(std::string_view schema, const JsonValue& body, std::vector<std::string>& faults) {
  if (!faults.empty()) return;
  if (auto fault = ApiDocument::built_in().fault_of_body(schema, body)) faults.push_back(*std::move(fault));
}

}  // namespace hsmsigner::api
