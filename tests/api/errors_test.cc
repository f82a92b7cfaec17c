// The table of errors against the contract's own (section 5), row by row.
#include "api/errors.h"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <set>
#include <string>

using namespace hsmsigner;
using namespace hsmsigner::api;

namespace {

struct Row {
  ErrorKind kind;
  int status;
  std::string code;
  std::string message;
  const char* subject;  // what an Error of this kind names, if anything
};

// Written from the contract, not from the code.
const Row kContract[] = {
    {ErrorKind::auth_not_authenticated, 401, "E016", "Not Authenticated", ""},
    {ErrorKind::invalid_credential, 401, "E016", "Invalid Credential", ""},
    {ErrorKind::key_too_long, 401, "E016", "Key Too Long", ""},
    {ErrorKind::key_expired, 401, "E016", "Key Expired", ""},
    {ErrorKind::need_password_change, 401, "E016", "The password needs to be changed.", ""},
    {ErrorKind::private_key_export_blocked, 403, "E007", "Private Key Export Blocked", ""},
    {ErrorKind::auth_unauthorized, 403, "E007", "Unauthorized", ""},
    {ErrorKind::input_format_mismatch, 400, "E003", "Input Format Mismatch: input-format=json", ""},
    {ErrorKind::output_format_mismatch, 400, "E003", "Output Format Mismatch: output-format=json Accept=xml",
     "output-format=json Accept=xml"},
    {ErrorKind::missing_query_parameter, 400, "E003", "Missing Query Parameter: name", "name"},
    {ErrorKind::invalid_query_parameter, 400, "E003", "Invalid Query Parameter: location=invalid", "location=invalid"},
    {ErrorKind::missing_body, 400, "E003", "Missing Body", ""},
    {ErrorKind::invalid_object, 400, "E003", "Invalid Object", ""},
    {ErrorKind::malformed_command, 400, "E003", "Malformed Command", ""},
    {ErrorKind::invalid_command, 400, "E003", "Invalid Command", ""},
    {ErrorKind::bad_xpath, 400, "E013", "Bad XPath", ""},
    {ErrorKind::object_not_present, 404, "E005", "Object Not Present", ""},
    {ErrorKind::object_not_unique, 409, "E016", "Object Not Unique", ""},
    {ErrorKind::name_not_unique, 409, "E006", "Name Not Unique", ""},
    {ErrorKind::reference_not_zero, 409, "E009", "Reference Not Zero", ""},
    {ErrorKind::action_not_supported, 405, "E012", "Action Not Supported: move", "move"},
    {ErrorKind::method_not_allowed, 501, "E012", "Method Not Supported", ""},
    {ErrorKind::version_not_supported, 501, "E012", "Version Not Supported", ""},
    {ErrorKind::session_timeout, 504, "4", "Session Timeout", ""},
    {ErrorKind::token_unavailable, 503, "E503", "Token Unavailable", ""},
    {ErrorKind::journal_unavailable, 503, "E503", "Journal Unavailable", ""},
    {ErrorKind::too_many_requests, 429, "E429", "Too Many Requests", ""},
    {ErrorKind::internal_error, 500, "E500", "Internal Error", ""},
};

}  // namespace

TEST_CASE("every row is as the contract has it, and every kind has one row") {
  std::set<ErrorKind> seen;
  for (const Row& row : kContract) {
    CAPTURE(row.message);
    CHECK(seen.insert(row.kind).second);
    const ErrorRow& ours = row_of(row.kind);
    CHECK(ours.kind == row.kind);
    CHECK(ours.status == row.status);
    CHECK(ours.code == row.code);
    CHECK((ours.retry_after_seconds > 0) == (row.status == 503 || row.status == 429));
    CHECK(message_of(Error(row.kind).with_subject(row.subject)) == row.message);
    CHECK(to_string(row.kind) != "unknown");
  }
  CHECK(seen.size() == error_table().size());
}

TEST_CASE("the body has the contract's form, and nothing of the cause or the place") {
  for (const Row& row : kContract) {
    CAPTURE(row.message);
    const Error error = Error(row.kind, {"name: \"quoted\"\nline", "other: fault"})
                            .with_subject(row.subject)
                            .with_help("do this")
                            .with_cause("C_Login: CKR_PIN_INCORRECT in /home/x");
    const std::string body = error_body(error, "the-id");
    rapidjson::Document json;
    REQUIRE_FALSE(json.Parse(body).HasParseError());
    CHECK(json.MemberCount() == 2);
    CHECK(json["_request_id"] == "the-id");
    REQUIRE(json["_errors"].Size() == 1);
    const auto& told = json["_errors"][0];
    CHECK(told["code"].IsString());
    CHECK(told["code"].GetString() == row.code);
    CHECK(told["message"].GetString() == row.message);
    CHECK(told["details"]["errorType"].GetString() == row.message.substr(0, row.message.find(": ")));
    CHECK(told["details"]["message"].Size() == 2);
    CHECK(told["help"] == "do this");
    CHECK(body.find("CKR_") == std::string::npos);
    CHECK(body.find("/home") == std::string::npos);
    CHECK(body.find(".cc") == std::string::npos);
  }
}
