// The body of POST /certificates (HTTP contract, section 2), from JSON to the service's request.
#pragma once

#include <optional>

#include "api/json_document.h"
#include "base/container.h"
#include "service/generation.h"

namespace hsmsigner::api {

// Reads every field and collects every fault in `faults`; never throws for a fault of the body. `body` is an object;
// `in_query` is the container that older clients send in the query.
service::GenerateRequest read_generate_body(const JsonValue& body, const std::optional<Container>& in_query);

}  // namespace hsmsigner::api
