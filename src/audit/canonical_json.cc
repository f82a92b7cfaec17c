#include "audit/canonical_json.h"

#include <algorithm>
#include <cstdio>

namespace hsmsigner::audit {
namespace {

// Quotation mark, reverse solidus, and control characters as \u00xx in lower case; everything else as it is.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  const auto is_special = [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; };
  for (auto at = text.begin(); at != text.end();) {
    const auto special = std::find_if(at, text.end(), is_special);
    out.append(at, special);
    if (special == text.end()) break;
    const char c = *special;
    at = special + 1;
    if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escape;
    } else {
      out += '\\';
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

void CanonicalObject::flag(std::string_view key, bool value) {
  name(key);
  members_ += value ? "true" : "false";
}

void CanonicalObject::object(std::string_view key, const CanonicalObject& value) {
  name(key);
  members_ += value.finished();
}

}  // namespace hsmsigner::audit
