#include "report/json.h"

#include <doctest/doctest.h>
#include <rapidjson/document.h>
#include <rapidjson/pointer.h>

#include "report/controls.h"
#include "report/sample.h"

using namespace hsmsigner::report;
using namespace test_support;

namespace {

rapidjson::Document parsed(const std::string& text) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(text.c_str(), text.size());
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

std::string text_at(const rapidjson::Document& document, const char* pointer) {
  const rapidjson::Value* const value = rapidjson::Pointer(pointer).Get(document);
  REQUIRE_MESSAGE(value != nullptr, pointer);
  return value->GetString();
}

std::uint64_t number_at(const rapidjson::Document& document, const char* pointer) {
  const rapidjson::Value* const value = rapidjson::Pointer(pointer).Get(document);
  REQUIRE_MESSAGE(value != nullptr, pointer);
  return value->GetUint64();
}

}  // namespace

TEST_CASE("the same report gives the same JSON") {
  CHECK(json_of(sample_report()) == json_of(sample_report()));
  CHECK(json_of(sample_report()).back() == '\n');
}

TEST_CASE("the JSON has the figures, the members in their order, and names as they are") {
  const rapidjson::Document document = parsed(json_of(sample_report()));
  std::vector<std::string> names;
  for (const auto& member : document.GetObject()) names.emplace_back(member.name.GetString());
  CHECK(names == std::vector<std::string>{"report", "version", "made_at", "service_version", "verdict", "controls",
                                          "token", "probe", "further_tokens", "inventory", "challenges", "issuance",
                                          "accounts", "journal", "audit_key"});
  CHECK(text_at(document, "/verdict") == "fail");
  CHECK(number_at(document, "/inventory/certificates") == 1843);
  CHECK(number_at(document, "/inventory/exportable/total") == 140);
  CHECK(document["inventory"]["exportable"]["shown"].Size() == kMostFindings);
  CHECK(text_at(document, "/inventory/mismatches/shown/0/name") == kHostileName);
  CHECK(number_at(document, "/challenges/challenged") == 200);
  CHECK(text_at(document, "/journal/head") == sample_facts().journal.head);
  CHECK(text_at(document, "/issuance/expiry_per_month/0/month") == "2026-11");
  CHECK(document["issuance"]["per_day"].Size() == 90);
  CHECK(document["controls"].Size() == control_table().size());
  CHECK(document["token"]["is_softhsm"].GetBool());
  CHECK(document["further_tokens"].Empty());
}

TEST_CASE("further tokens stand in the JSON as the first one does") {
  Report report = sample_report();
  ProbedToken further{report.facts.token, report.facts.probe};
  further.token.serial = "0123";
  report.facts.further_tokens = {further, {further.token, std::nullopt}};
  const rapidjson::Document document = parsed(json_of(report));
  CHECK(document["further_tokens"].Size() == 2);
  CHECK(text_at(document, "/further_tokens/0/token/serial") == "0123");
  CHECK(text_at(document, "/further_tokens/0/probe/outcome") == "keeps_keys");
  CHECK(document["further_tokens"][1]["probe"].IsNull());
}

TEST_CASE("what was not looked at is null") {
  Facts facts = empty_facts();
  std::vector<Control> controls = judge(facts);
  const rapidjson::Document document = parsed(json_of({std::move(facts), std::move(controls)}));
  CHECK(document["probe"].IsNull());
  CHECK(document["challenges"].IsNull());
  CHECK(document["journal"]["verified"].IsNull());
  CHECK(document["journal"]["last_report"].IsNull());
  CHECK(document["audit_key"].IsNull());
}
