// The bodies of :import and :export (HTTP contract, section 4), from JSON to the service's requests.
#pragma once

#include <optional>

#include "api/json_document.h"
#include "base/container.h"
#include "service/exchange.h"

namespace hsmsigner::api {

// Both read every field and collect every fault in `faults`; `in_query` is the container that older clients send in the
// query.
service::ImportRequest read_import_body(const JsonValue& body, const std::optional<Container>& in_query);

struct ExportBody {
  service::ExportRequest request;
  std::optional<Container> container;
};
ExportBody read_export_body(const JsonValue& body, const std::optional<Container>& in_query);

}  // namespace hsmsigner::api
