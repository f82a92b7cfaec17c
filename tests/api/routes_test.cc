// The table of routes beside the document that is served.
#include "api/routes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "api/api_document.h"

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
