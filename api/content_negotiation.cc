#include "api/content_negotiation.h"

#include <algorithm>
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

// A weight (RFC 9110 12.4.2) in thousandths; 0 for what is none.
unsigned weight_from(std::string_view text) {
  if (text.empty()) return 0;
  if (text.front() >= '1' && text.front() <= '9') return 1000;
  unsigned weight = 0;
  unsigned unit = 100;
  for (std::size_t i = 2; i < text.size() && unit > 0 && text[i] >= '0' && text[i] <= '9'; ++i, unit /= 10) {
    weight += unit * static_cast<unsigned>(text[i] - '0');
  }
  return weight;
}

// What Accept gives this media type: the most exact range that names it counts (RFC 9110 12.5.1).
unsigned weight_of(std::string_view accept, std::string_view type) {
  const std::string group = std::string(type.substr(0, type.find('/'))) + "/*";
  int best = 0;  // how exactly the best match names it
  unsigned weight = 0;
  for (const std::string_view range : pieces(accept, ',')) {
    const auto parts = pieces(range, ';');
    const int exactness = equals_ignoring_case(parts.front(), type)    ? 3
                          : equals_ignoring_case(parts.front(), group) ? 2
                          : parts.front() == "*/*"                     ? 1
                                                                       : 0;
    if (exactness == 0 || exactness < best) continue;
    unsigned here = 1000;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (equals_ignoring_case(parts[i].substr(0, 2), "q=")) here = weight_from(parts[i].substr(2));
    }
    weight = exactness == best ? std::max(weight, here) : here;
    best = exactness;
  }
  return weight;
}

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

std::string_view accepted_of(const RequestHead& head, std::initializer_list<std::string_view> types) {
  const auto accept = head.field("accept");
  if (!accept || trimmed(*accept).empty()) return *types.begin();
  std::string_view chosen;
  unsigned most = 0;
  std::string offered;
  for (const std::string_view type : types) {
    const unsigned weight = weight_of(*accept, type);
    if (weight > most) chosen = type;
    most = std::max(most, weight);
    offered += (offered.empty() ? "" : " or ") + std::string(type);
  }
  if (most == 0) {
    const std::string_view asked = pieces(pieces(*accept, ',').front(), ';').front();
    const std::string_view first = *types.begin();
    throw Error(ErrorKind::output_format_mismatch, {"Accept: the answer is " + offered})
        .with_subject("output-format=" + std::string(first.substr(first.find('/') + 1)) +
                      " Accept=" + shown(asked.substr(asked.find('/') + 1), 40));
  }
  return chosen;
}

void require_json_body(const RequestHead& head) {
  require_body(head, "application/json", "Content-Type: must be application/json, in UTF-8");
}

void require_form_body(const RequestHead& head) {
  require_body(head, "application/x-www-form-urlencoded",
               "Content-Type: must be application/x-www-form-urlencoded, in UTF-8");
}

}  // namespace hsmsigner::api
