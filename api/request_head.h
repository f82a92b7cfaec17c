// Request line and header fields of one request, read strictly (RFC 9110, RFC 9112): what two readers could take in
// two ways is refused, so that no request can hide inside another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hsmsigner::api {

inline constexpr std::size_t kMaxHeadBytes = 32768;
inline constexpr std::size_t kMaxTargetBytes = 8192;
inline constexpr std::size_t kMaxHeaderFields = 100;

struct RequestHead {
  std::string method;
  std::string target;  // in origin form, still percent-encoded; the absolute form is brought to it
  std::string host;    // authority of the absolute form, else the Host field
  bool http_1_0 = false;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case, values trimmed

  std::uint64_t content_length = 0;
  bool chunked = false;
  bool wants_close = false;
  bool expects_continue = false;

  bool has_body() const { return chunked || content_length > 0; }
  // The field's values joined by ", " (RFC 9110 5.2); nothing when it is absent.
  std::optional<std::string> field(std::string_view lower_case_name) const;
};

// `text` ends with the empty line. Throws Error{malformed_command}.
RequestHead parse_request_head(std::string_view text);

// Whether an IP literal (without brackets) is a loopback address.
bool is_loopback_address(std::string_view address);

}  // namespace hsmsigner::api
