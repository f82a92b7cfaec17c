// The kinds of events beside the document that is served.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "api/api_document.h"
#include "api/json_document.h"
#include "audit/event.h"

using namespace hsmsigner;

namespace {

const api::JsonValue& at(const api::JsonValue& value, const char* name) {
  REQUIRE(value.IsObject());
  REQUIRE(value.HasMember(name));
  return value[name];
}

std::set<std::string> words(const api::JsonValue& list) {
  std::set<std::string> result;
  for (const auto& word : list.GetArray()) result.insert(std::string(api::text_of(word)));
  CHECK(result.size() == list.Size());
  return result;
}

}  // namespace

TEST_CASE("/openapi.json names every kind of event and every outcome, in the event and in the filter") {
  std::string text(api::ApiDocument::built_in().text());
  const api::JsonDocument document = api::parse_json(text);
  std::set<std::string> kinds;
  for (const audit::EventKindInfo& row : audit::event_kinds()) kinds.emplace(row.name);
  const api::JsonValue& components = at(document, "components");
  const api::JsonValue& event = at(at(at(components, "schemas"), "Event"), "properties");
  CHECK(words(at(at(event, "kind"), "enum")) == kinds);
  CHECK(words(at(at(at(at(components, "parameters"), "kind"), "schema"), "enum")) == kinds);
  CHECK(words(at(at(event, "outcome"), "enum")) ==
        std::set<std::string>{std::string(to_string(audit::Outcome::done)),
                              std::string(to_string(audit::Outcome::refused)),
                              std::string(to_string(audit::Outcome::failed))});
}
