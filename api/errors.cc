#include "api/errors.h"

#include <array>

#include "api/json_writer.h"

namespace hsmsigner::api {
namespace {

constexpr std::array kTable{
    ErrorRow{ErrorKind::auth_not_authenticated, 401, "E016", "Not Authenticated", "", 0},
    ErrorRow{ErrorKind::invalid_credential, 401, "E016", "Invalid Credential", "", 0},
    ErrorRow{ErrorKind::key_too_long, 401, "E016", "Key Too Long", "", 0},
    ErrorRow{ErrorKind::key_expired, 401, "E016", "Key Expired", "", 0},
    ErrorRow{ErrorKind::need_password_change, 401, "E016", "The password needs to be changed.", "", 0},
    ErrorRow{ErrorKind::input_format_mismatch, 400, "E003", "Input Format Mismatch", "input-format=json", 0},
    ErrorRow{ErrorKind::output_format_mismatch, 400, "E003", "Output Format Mismatch", "output-format=json", 0},
    ErrorRow{ErrorKind::missing_query_parameter, 400, "E003", "Missing Query Parameter", "", 0},
    ErrorRow{ErrorKind::invalid_query_parameter, 400, "E003", "Invalid Query Parameter", "", 0},
    ErrorRow{ErrorKind::missing_body, 400, "E003", "Missing Body", "", 0},
    ErrorRow{ErrorKind::invalid_object, 400, "E003", "Invalid Object", "", 0},
    ErrorRow{ErrorKind::malformed_command, 400, "E003", "Malformed Command", "", 0},
    ErrorRow{ErrorKind::invalid_command, 400, "E003", "Invalid Command", "", 0},
    ErrorRow{ErrorKind::bad_xpath, 400, "E013", "Bad XPath", "", 0},
    ErrorRow{ErrorKind::auth_unauthorized, 403, "E007", "Unauthorized", "", 0},
    ErrorRow{ErrorKind::private_key_export_blocked, 403, "E007", "Private Key Export Blocked", "", 0},
    ErrorRow{ErrorKind::object_not_present, 404, "E005", "Object Not Present", "", 0},
    ErrorRow{ErrorKind::object_not_unique, 409, "E016", "Object Not Unique", "", 0},
    ErrorRow{ErrorKind::name_not_unique, 409, "E006", "Name Not Unique", "", 0},
    ErrorRow{ErrorKind::reference_not_zero, 409, "E009", "Reference Not Zero", "", 0},
    ErrorRow{ErrorKind::action_not_supported, 405, "E012", "Action Not Supported", "", 0},
    ErrorRow{ErrorKind::method_not_allowed, 501, "E012", "Method Not Supported", "", 0},
    ErrorRow{ErrorKind::version_not_supported, 501, "E012", "Version Not Supported", "", 0},
    ErrorRow{ErrorKind::session_timeout, 504, "4", "Session Timeout", "", 0},
    ErrorRow{ErrorKind::token_unavailable, 503, "E503", "Token Unavailable", "", 5},
    ErrorRow{ErrorKind::journal_unavailable, 503, "E503", "Journal Unavailable", "", 5},
    ErrorRow{ErrorKind::too_many_requests, 429, "E429", "Too Many Requests", "", 1},
    ErrorRow{ErrorKind::internal_error, 500, "E500", "Internal Error", "", 0},
};

}  // namespace

std::span<const ErrorRow> error_table() noexcept { return kTable; }

const ErrorRow& row_of(ErrorKind kind) noexcept {
  for (const ErrorRow& row : kTable) {
    if (row.kind == kind) return row;
  }
  return kTable.back();  // internal_error
}

std::string message_of(const Error& error) {
  const ErrorRow& row = row_of(error.kind());
  const std::string_view subject = error.subject().empty() ? row.default_subject : std::string_view(error.subject());
  std::string message(row.type);
  if (!subject.empty()) message.append(": ").append(subject);
  return message;
}

std::string error_body(const Error& error, std::string_view request_id) {
  const ErrorRow& row = row_of(error.kind());
  JsonWriter json;
  json.open_object();
  json.open_array("_errors");
  json.open_object();
  json.field("code", row.code);
  json.field("message", message_of(error));
  json.open_object("details");
  json.field("errorType", row.type);
  json.texts("message", error.details());
  json.close_object();
  if (!error.help().empty()) json.field("help", error.help());
  json.close_object();
  json.close_array();
  json.field("_request_id", request_id);
  json.close_object();
  return json.finished();
}

}  // namespace hsmsigner::api
