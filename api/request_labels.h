// What requests are counted by: the routes of the table, never the path that a client wrote, so that there are not more
// series than routes.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "api/routes.h"
#include "metrics/request_metrics.h"

namespace hsmsigner::api {

// For every request that found no route: an unknown path, a method that its path does not have, a head that could not
// be read.
inline constexpr std::string_view kNoRoute = "other";

// One for each slot.
std::vector<metrics::RequestLabels> request_labels();
// `route`: a row of routes(), or null.
std::size_t slot_of(const Route* route, std::string_view method) noexcept;

}  // namespace hsmsigner::api
