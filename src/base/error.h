// The one exception type. Thrown where a fault is found, caught once per thread entry, and turned into an HTTP
// answer by the table in api/errors.cc. Absence ("not there") is std::optional, never an Error.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hsmsigner {

// One enumerator per row of the error table of the HTTP contract, under the contract's own names.
enum class ErrorKind {
  auth_not_authenticated,
  invalid_credential,
  key_too_long,
  key_expired,
  need_password_change,
  input_format_mismatch,
  output_format_mismatch,
  missing_query_parameter,
  invalid_query_parameter,
  missing_body,
  invalid_object,
  malformed_command,
  invalid_command,
  bad_xpath,
  auth_unauthorized,
  private_key_export_blocked,
  object_not_present,
  object_not_unique,
  name_not_unique,
  reference_not_zero,
  action_not_supported,
  method_not_allowed,
  version_not_supported,
  session_timeout,
  token_unavailable,
  journal_unavailable,
  too_many_requests,
  internal_error,
};

// Where in our source an Error was made; for the log only.
struct SourcePlace {
  const char* file = "";
  int line = 0;
  // The builtins rather than std::source_location, which clang 14 with libstdc++ 12 refuses.
  static constexpr SourcePlace here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return SourcePlace{file, line};
  }
};

class Error : public std::exception {
 public:
  // `details` are public: one sentence per fault, beginning with the field's path where there is one. They must not
  // hold secrets, file paths or a library's own text; those go into `cause`.
  explicit Error(ErrorKind kind, std::vector<std::string> details = {}, SourcePlace where = SourcePlace::here());

  // What the contract's message says after its colon: "Missing Query Parameter: folder".
  Error& with_subject(std::string subject) &;
  Error&& with_subject(std::string subject) &&;
  // Public: what the caller can do about it.
  Error& with_help(std::string help) &;
  Error&& with_help(std::string help) &&;
  // Internal: a CK_RV by name, the OpenSSL error queue, errno text. Logged, never answered.
  Error& with_cause(std::string cause) &;
  Error&& with_cause(std::string cause) &&;

  // Public: when to ask again (Retry-After), in place of what the error table says for the kind.
  Error& with_retry_after(std::chrono::seconds wait) & noexcept;
  Error&& with_retry_after(std::chrono::seconds wait) && noexcept;

  ErrorKind kind() const noexcept { return kind_; }
  const std::string& subject() const noexcept { return subject_; }
  const std::vector<std::string>& details() const noexcept { return details_; }
  const std::string& help() const noexcept { return help_; }
  const std::string& cause() const noexcept { return cause_; }
  const SourcePlace& where() const noexcept { return where_; }
  std::optional<std::chrono::seconds> retry_after() const noexcept { return retry_after_; }

  // Kind, details and cause in one line, for the log and for a command line's stderr.
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  void compose();

  ErrorKind kind_;
  std::string subject_;
  std::vector<std::string> details_;
  std::string help_;
  std::string cause_;
  SourcePlace where_;
  std::optional<std::chrono::seconds> retry_after_;
  std::string what_;
};

// "invalid_object", as in the contract's table.
std::string_view to_string(ErrorKind kind) noexcept;

}  // namespace hsmsigner
