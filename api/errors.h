// The one table of errors (HTTP contract, section 5) and the form every error answer has.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace hsmsigner::api {

struct ErrorRow {
  ErrorKind kind;
  int status;
  std::string_view code;             // a string even where it is a number: session_timeout's is "4"
  std::string_view type;             // details.errorType, and the message without its subject
  std::string_view default_subject;  // what the message says after its colon when the Error names nothing
  int retry_after_seconds;           // header Retry-After; 0: none
};

std::span<const ErrorRow> error_table() noexcept;
const ErrorRow& row_of(ErrorKind kind) noexcept;

// "Missing Query Parameter: folder".
std::string message_of(const Error& error);
// {"_errors":[…],"_request_id":"…"}. Public fields only: never the cause, never the place.
std::string error_body(const Error& error, std::string_view request_id);

}  // namespace hsmsigner::api
