#include "api/request_head.h"

#include <netinet/in.h>

#include <algorithm>
#include <charconv>

#include "api/text_rules.h"
#include "base/error.h"
#include "base/internet_names.h"

namespace hsmsigner::api {
namespace {

[[noreturn]] void refuse(std::string sentence, SourcePlace where = SourcePlace::here()) {
  throw Error(ErrorKind::malformed_command, {std::move(sentence)}, where);
}

constexpr bool is_token_character(char c) {  // RFC 9110 5.6.2
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

void parse_request_line(std::string_view line, RequestHead& head, std::optional<std::string>& authority) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) refuse("the request line is not \"METHOD target HTTP/1.1\"");
  const std::string_view method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method)) refuse("the method is not a token");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") refuse("the version must be HTTP/1.1 or HTTP/1.0");
  if (target.empty() || target.size() > kMaxTargetBytes) {
    refuse("the request target must have 1 to " + std::to_string(kMaxTargetBytes) + " octets");
  }
  if (!std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c <= '~' && c != '#'; })) {
    refuse("the request target holds a character that must be percent-encoded");
  }
  for (const std::string_view scheme : {"http://", "https://"}) {  // absolute form, RFC 9112 3.2.2
    if (!equals_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    authority = std::string(target.substr(0, end));
    target.remove_prefix(end);
    break;
  }
  head.method = method;
  head.target = authority && !target.starts_with('/') ? "/" + std::string(target) : std::string(target);
  head.http_1_0 = version == "HTTP/1.0";
}

void parse_field_line(std::string_view line, RequestHead& head) {
  const std::size_t colon = line.find(':');
  // Also refuses a continuation line and a space before the colon (RFC 9112 5.1, 5.2).
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    refuse("a header field is not \"Name: value\"");
  const std::string_view value = trimmed(line.substr(colon + 1));
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if ((octet < 0x20 && c != '\t') || octet == 0x7f) refuse("a header field holds a control character");
  }
  if (head.fields.size() == kMaxHeaderFields)
    refuse("more than " + std::to_string(kMaxHeaderFields) + " header fields");
  head.fields.emplace_back(lower_case(line.substr(0, colon)), std::string(value));
}

std::size_t count_of(const RequestHead& head, std::string_view name) {
  return static_cast<std::size_t>(
      std::count_if(head.fields.begin(), head.fields.end(), [&](const auto& field) { return field.first == name; }));
}

// RFC 9112 6.3; every doubt is an error.
void settle_framing(RequestHead& head) {
  const auto length = head.field("content-length");
  const auto coding = head.field("transfer-encoding");
  if (length && coding) refuse("Content-Length and Transfer-Encoding exclude each other");
  if (length) {
    const char* const end = length->data() + length->size();
    const bool digits = std::all_of(length->begin(), length->end(), [](char c) { return c >= '0' && c <= '9'; });
    const auto result = std::from_chars(length->data(), end, head.content_length);
    if (!digits || result.ec != std::errc() || result.ptr != end) refuse("Content-Length is not one number");
  }
  if (coding) {
    if (head.http_1_0 || !equals_ignoring_case(*coding, "chunked")) {
      refuse("the only Transfer-Encoding is chunked, in HTTP/1.1");
    }
    head.chunked = true;
  }
}

}  // namespace

std::optional<std::string> RequestHead::field(std::string_view lower_case_name) const {
  std::optional<std::string> joined;
  for (const auto& [name, value] : fields) {
    if (name == lower_case_name) joined = joined ? *joined + ", " + value : value;
  }
  return joined;
}

RequestHead parse_request_head(std::string_view text) {
  RequestHead head;
  std::optional<std::string> authority;
  bool first_line = true;
  while (true) {
    const std::size_t end = text.find("\r\n");
    if (end == std::string_view::npos) refuse("the request's head does not end");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
      refuse("a line of the request's head does not end in CR LF");
    }
    if (line.empty() && !first_line) break;
    if (first_line) {
      parse_request_line(line, head, authority);
    } else {
      parse_field_line(line, head);
    }
    first_line = false;
  }
  settle_framing(head);

  const std::size_t hosts = count_of(head, "host");
  if (hosts > 1 || (hosts == 0 && !head.http_1_0)) refuse("exactly one Host header field is required");  // RFC 9112 3.2
  head.host = authority ? *authority : head.field("host").value_or("");

  const std::string connection = "," + lower_case(head.field("connection").value_or("")) + ",";
  std::string options;
  for (const char c : connection) {
    if (c != ' ' && c != '\t') options += c;
  }
  head.wants_close = options.find(",close,") != std::string::npos ||
                     (head.http_1_0 && options.find(",keep-alive,") == std::string::npos);
  if (const auto expectation = head.field("expect")) {
    if (!equals_ignoring_case(*expectation, "100-continue")) refuse("the only expectation is 100-continue");
    head.expects_continue = !head.http_1_0;
  }
  return head;
}

bool is_loopback_address(std::string_view address) {
  const auto octets = parse_ip_address(address);
  if (!octets) return false;
  if (octets->size() == 4) return octets->front() == 127;  // 127.0.0.0/8 (RFC 1122 3.2.1.3)
  return std::equal(octets->begin(), octets->end(), in6addr_loopback.s6_addr);
}

}  // namespace hsmsigner::api
