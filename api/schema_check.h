// Request bodies against the schemas of /openapi.json: what is served and what is taken cannot drift apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json_document.h"

namespace hsmsigner::api {

// Adds what the schema of this name in the document finds at fault; when `faults` tells of some already, it says no
// more than those.
void check_schema(std::string_view schema, const JsonValue& body, std::vector<std::string>& faults);

}  // namespace hsmsigner::api
