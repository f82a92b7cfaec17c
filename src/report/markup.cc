#include "report/markup.h"

#include <cstdio>

#include "base/utf8.h"

namespace hsmsigner::report {
namespace {

// Controls (C0, C1, DEL), line and paragraph separators, bidirectional controls, invisible characters, and the tag
// characters: what would be seen as nothing, or would change how other characters are seen.
bool is_hidden(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x00AD || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c >= 0xE0000 && c <= 0xE007F);
}

}  // namespace

// A name that reads "[U+" must not look like a character written out.
std::string visible(std::string_view value) {
  std::string out;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t begin = at;
    const auto c = next_code_point(value, at);
    if (!c) {
      at = begin + 1;
      out += "\xEF\xBF\xBD";  // U+FFFD
    } else if (is_hidden(*c) || (*c == U'[' && value.substr(at).starts_with("U+"))) {
      char name[16];
      std::snprintf(name, sizeof name, "[U+%04X]", static_cast<unsigned>(*c));
      out += name;
    } else {
      out += value.substr(begin, at - begin);
    }
  }
  return out;
}

Markup& Markup::text(std::string_view value) {
  for (const char c : visible(value)) {
    switch (c) {
      case '&': out_ += "&amp;"; break;
      case '<': out_ += "&lt;"; break;
      case '>': out_ += "&gt;"; break;
      case '"': out_ += "&quot;"; break;
      case '\'': out_ += "&#39;"; break;
      default: out_ += c;
    }
  }
  return *this;
}

Markup& Markup::number(std::uint64_t value) {
  out_ += std::to_string(value);
  return *this;
}

Markup& Markup::hundredths(std::int64_t value) {
  if (value < 0) {
    out_ += '-';
    value = -value;
  }
  out_ += std::to_string(value / 100);
  if (const auto rest = value % 100; rest != 0) {
    out_ += '.';
    out_ += static_cast<char>('0' + rest / 10);
    if (rest % 10 != 0) out_ += static_cast<char>('0' + rest % 10);
  }
  return *this;
}

}  // namespace hsmsigner::report
