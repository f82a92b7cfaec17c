#include "base/error.h"

#include <utility>

namespace hsmsigner {

std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::auth_not_authenticated: return "auth_not_authenticated";
    case ErrorKind::invalid_credential: return "invalid_credential";
    case ErrorKind::key_too_long: return "key_too_long";
    case ErrorKind::key_expired: return "key_expired";
    case ErrorKind::need_password_change: return "need_password_change";
    case ErrorKind::input_format_mismatch: return "input_format_mismatch";
    case ErrorKind::output_format_mismatch: return "output_format_mismatch";
    case ErrorKind::missing_query_parameter: return "missing_query_parameter";
    case ErrorKind::invalid_query_parameter: return "invalid_query_parameter";
    case ErrorKind::missing_body: return "missing_body";
    case ErrorKind::invalid_object: return "invalid_object";
    case ErrorKind::malformed_command: return "malformed_command";
    case ErrorKind::invalid_command: return "invalid_command";
    case ErrorKind::bad_xpath: return "bad_xpath";
    case ErrorKind::auth_unauthorized: return "auth_unauthorized";
    case ErrorKind::private_key_export_blocked: return "private_key_export_blocked";
    case ErrorKind::object_not_present: return "object_not_present";
    case ErrorKind::object_not_unique: return "object_not_unique";
    case ErrorKind::name_not_unique: return "name_not_unique";
    case ErrorKind::reference_not_zero: return "reference_not_zero";
    case ErrorKind::action_not_supported: return "action_not_supported";
    case ErrorKind::method_not_allowed: return "method_not_allowed";
    case ErrorKind::version_not_supported: return "version_not_supported";
    case ErrorKind::session_timeout: return "session_timeout";
    case ErrorKind::token_unavailable: return "token_unavailable";
    case ErrorKind::journal_unavailable: return "journal_unavailable";
    case ErrorKind::too_many_requests: return "too_many_requests";
    case ErrorKind::internal_error: return "internal_error";
  }
  return "unknown";
}

Error::Error(ErrorKind kind, std::vector<std::string> details, SourcePlace where)
    : kind_(kind), details_(std::move(details)), where_(where) {
  compose();
}

Error& Error::with_subject(std::string subject) & {
  subject_ = std::move(subject);
  compose();
  return *this;
}
Error&& Error::with_subject(std::string subject) && { return std::move(with_subject(std::move(subject))); }

Error& Error::with_help(std::string help) & {
  help_ = std::move(help);
  compose();
  return *this;
}
Error&& Error::with_help(std::string help) && { return std::move(with_help(std::move(help))); }

Error& Error::with_cause(std::string cause) & {
  cause_ = std::move(cause);
  compose();
  return *this;
}
Error&& Error::with_cause(std::string cause) && { return std::move(with_cause(std::move(cause))); }

Error& Error::with_retry_after(std::chrono::seconds wait) & noexcept {
  retry_after_ = wait;
  return *this;
}
Error&& Error::with_retry_after(std::chrono::seconds wait) && noexcept { return std::move(with_retry_after(wait)); }

void Error::compose() {
  what_ = to_string(kind_);
  if (!subject_.empty()) what_ += " (" + subject_ + ")";
  const char* separator = ": ";
  for (const std::string& detail : details_) {
    what_ += separator + detail;
    separator = "; ";
  }
  if (!cause_.empty()) what_ += " [" + cause_ + "]";
  if (!help_.empty()) what_ += " - " + help_;
}

}  // namespace hsmsigner
