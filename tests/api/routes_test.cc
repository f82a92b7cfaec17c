// The table of routes beside the document that is served.
#include "api/routes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "api/api_document.h"
#include "api/errors.h"
#include "api/request_labels.h"

using namespace hsmsigner::api;

namespace {

using Operation = std::pair<std::string, std::string>;

constexpr std::string_view kPrefixes[] = {"/config/identity/v1", "/sse/config/v1"};

}  // namespace

TEST_CASE("every route is an operation of /openapi.json, and every operation a route") {
  std::set<Operation> routed;
  for (const Route& route : routes()) {
    routed.emplace(route.method, route.pattern);
    if (!route.pattern.starts_with("/certificates")) continue;
    for (const std::string_view prefix : kPrefixes) {
      routed.emplace(route.method, std::string(prefix) + std::string(route.pattern));
    }
  }
  std::set<Operation> described;
  for (const Operation& operation : ApiDocument::built_in().operations()) described.insert(operation);
  for (const Operation& operation : routed) {
    CHECK_MESSAGE(described.contains(operation), operation.first << " " << operation.second << " is not described");
  }
  for (const Operation& operation : described) {
    CHECK_MESSAGE(routed.contains(operation), operation.first << " " << operation.second << " is not served");
  }
}

TEST_CASE("only what hands out nothing is open to everybody") {
  for (const Route& route : routes()) {
    CAPTURE(route.pattern);
    const bool open = route.pattern == "/openapi.json" || route.pattern.ends_with("/access_token") ||
                      route.pattern.ends_with("/jwk_uri");
    CHECK((route.admission == Admission::open) == open);
    // What an account does with itself needs no role; everything else does.
    CHECK(route.operation.has_value() == (!open && !route.pattern.starts_with("/accounts/self")));
  }
}

TEST_CASE("every route has its own labels for metrics, its HEAD too, and what found none shares one pair") {
  const std::vector<hsmsigner::metrics::RequestLabels> labels = request_labels();
  std::set<Operation> different;
  for (const auto& each : labels) CHECK(different.emplace(each.method, each.route).second);
  for (const Route& route : routes()) {
    const auto& own = labels.at(slot_of(&route, route.method));
    CHECK(own.route == route.pattern);
    CHECK(own.method == route.method);
    if (route.method != "GET") continue;
    const auto& head = labels.at(slot_of(&route, "HEAD"));
    CHECK(head.route == route.pattern);
    CHECK(head.method == "HEAD");
  }
  for (const char* method : {"GET", "HEAD", "BREW", ""}) {
    CHECK(labels.at(slot_of(nullptr, method)).route == kNoRoute);
    CHECK(labels.at(slot_of(nullptr, method)).method == kNoRoute);
  }
}

TEST_CASE("every status that is answered can be counted") {
  hsmsigner::metrics::RequestMetrics metrics(request_labels());
  for (const ErrorRow& row : error_table()) metrics.answered(slot_of(nullptr, "GET"), row.status, {});
}
