#include "api/request_labels.h"

#include <algorithm>
#include <string>

namespace hsmsigner::api {

// First what found no route; then the routes in their order; then the HEAD of each GET, which has no row.
std::vector<metrics::RequestLabels> request_labels() {
  std::vector<metrics::RequestLabels> labels{{std::string(kNoRoute), std::string(kNoRoute)}};
  for (const Route& route : routes()) labels.push_back({std::string(route.pattern), std::string(route.method)});
  for (const Route& route : routes()) {
    if (route.method == "GET") labels.push_back({std::string(route.pattern), "HEAD"});
  }
  return labels;
}

std::size_t slot_of(const Route* route, std::string_view method) noexcept {
  if (route == nullptr) return 0;
  const Route* const first = routes().data();
  if (method != "HEAD") return 1 + static_cast<std::size_t>(route - first);
  const auto gets = std::count_if(first, route, [](const Route& before) { return before.method == "GET"; });
  return 1 + routes().size() + static_cast<std::size_t>(gets);
}

}  // namespace hsmsigner::api
