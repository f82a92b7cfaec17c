#include "api/content_negotiation.h"

#include <string>
#include <string_view>
#include <vector>

#include "api/text_rules.h"
#include "base/error.h"

namespace hsmsigner::api {
namespace {

// Splits outside quoted strings, without the surrounding blanks. The pieces live as long as `text`.
std::vector<std::string_view> pieces(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == '\\' && quoted) ++i;
    if (i < text.size() && text[i] == separator && !quoted) {
      out.push_back(trimmed(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  out.push_back(trimmed(text.substr(begin)));
  return out;
}

// Whether a weight (RFC 9110 12.4.2) is above zero.
bool is_positive_weight(std::string_view weight) { return weight.find_first_of("123456789") != std::string_view::npos; }

void require_body(const RequestHead& head, std::string_view type, const char* sentence) {
  const auto encoding = head.field("content-encoding");
  if (encoding && !equals_ignoring_case(*encoding, "identity")) {
    throw Error(ErrorKind::input_format_mismatch, {"Content-Encoding: a compressed body is not taken"});
  }
  const std::string content_type = head.field("content-type").value_or("");
  const auto parts = pieces(content_type, ';');
  bool good = equals_ignoring_case(parts.front(), type);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (!equals_ignoring_case(parts[i].substr(0, 8), "charset=")) continue;
    const std::string_view charset = parts[i].substr(8);
    good = good && (equals_ignoring_case(charset, "utf-8") || equals_ignoring_case(charset, "\"utf-8\""));
  }
  if (!good) throw Error(ErrorKind::input_format_mismatch, {sentence});
}

}  // namespace

void require_accepted(const RequestHead& head, std::string_view type) {
  const auto accept = head.field("accept");
  if (!accept || trimmed(*accept).empty()) return;
  int best = 0;  // how exactly the best match names the type
  bool acceptable = false;
  std::string asked_for;
  for (const std::string_view range : pieces(*accept, ',')) {
    const auto parts = pieces(range, ';');
    const std::string_view accepted = parts.front();
    if (asked_for.empty()) asked_for = shown(accepted.substr(accepted.find('/') + 1), 40);
    const int exactness = equals_ignoring_case(accepted, type)              ? 3
                          : equals_ignoring_case(accepted, "application/*") ? 2
                          : accepted == "*/*"                               ? 1
                                                                            : 0;
    if (exactness == 0 || exactness < best) continue;
    bool wanted = true;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (equals_ignoring_case(parts[i].substr(0, 2), "q=")) wanted = is_positive_weight(parts[i].substr(2));
    }
    acceptable = exactness == best ? acceptable || wanted : wanted;
    best = exactness;
  }
  if (!acceptable) {
    throw Error(ErrorKind::output_format_mismatch, {"Accept: the answer is " + std::string(type)})
        .with_subject("output-format=" + std::string(type.substr(type.find('/') + 1)) + " Accept=" + asked_for);
  }
}

void require_json_body(const RequestHead& head) {
  require_body(head, "application/json", "Content-Type: must be application/json, in UTF-8");
}

void require_form_body(const RequestHead& head) {
  require_body(head, "application/x-www-form-urlencoded",
               "Content-Type: must be application/x-www-form-urlencoded, in UTF-8");
}

}  // namespace hsmsigner::api
