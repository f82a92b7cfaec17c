#include "audit/canonical_json.h"

#include <cstdio>

#include "base/utf8.h"

namespace hsmsigner::audit {
namespace {

constexpr std::size_t kLongest = 1024;

// Quotation mark, reverse solidus, and control characters as \u00xx in lower case; everything else as it is.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escape;
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

void CanonicalObject::name(std::string_view name) {
  if (!members_.empty()) members_ += ',';
  append_quoted(members_, name);
  members_ += ':';
}

void CanonicalObject::text(std::string_view key, std::string_view value) {
  name(key);
  append_quoted(members_, value);
}

void CanonicalObject::number(std::string_view key, std::uint64_t value) {
  name(key);
  members_ += std::to_string(value);
}

void CanonicalObject::object(std::string_view key, const CanonicalObject& value) {
  name(key);
  members_ += value.finished();
}

std::string presentable(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
  constexpr std::string_view kCut = "…";
  std::string out;
  std::size_t cut = 0;  // where to cut, should it be too long
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    if (next_code_point(text, at)) {
      out += text.substr(begin, at - begin);
    } else {
      at = begin + 1;
      out += kReplacement;
    }
    if (out.size() > kLongest) return out.substr(0, cut).append(kCut);
    if (out.size() <= kLongest - kCut.size()) cut = out.size();
  }
  return out;
}

}  // namespace hsmsigner::audit
