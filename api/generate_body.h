// The body of POST /certificates (HTTP contract, section 2), from JSON to the service's request.
#pragma once

#include <rapidjson/document.h>

#include <optional>

#include "service/generation.h"
#include "store/certificate_record.h"

namespace hsmsigner::api {

// Reads every field and collects every fault in `faults`; never throws for a fault of the body. `body` is an object;
// `in_query` is the container that older clients send in the query.
service::GenerateRequest read_generate_body(const rapidjson::Value& body,
                                            const std::optional<store::Container>& in_query);

}  // namespace hsmsigner::api
