// The request target of a request line (RFC 9112 3.2), decoded once and strictly.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hsmsigner::api {

struct RequestTarget {
  std::vector<std::string> segments;                       // "/a/b": {"a", "b"}; a trailing slash adds an empty one
  std::vector<std::pair<std::string, std::string>> query;  // in order, no name twice

  // The parameter's value, or null.
  const std::string* parameter(std::string_view name) const;
};

// `raw` is in origin form. Throws Error: malformed_command (broken percent-encoding, NUL, not UTF-8),
// invalid_query_parameter (a name twice).
RequestTarget parse_request_target(std::string_view raw);

// A form (application/x-www-form-urlencoded), in order. A name twice is given twice. Throws Error{malformed_command}.
std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text);
// One name or value of a form. Throws Error{malformed_command}.
std::string decode_form_text(std::string_view text);

}  // namespace hsmsigner::api
