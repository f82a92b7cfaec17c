#include "report/html_parts.h"

namespace hsmsigner::report {

std::string_view words(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::pass: return "Pass";
    case Verdict::attention: return "Attention";
    case Verdict::fail: return "Fail";
    case Verdict::not_applicable: return "Not applicable";
  }
  return "";
}

void add_icon(Markup& page, Verdict verdict) {
  page.raw("<svg class=\"icon\" viewBox=\"0 0 20 20\" aria-hidden=\"true\">");
  switch (verdict) {
    case Verdict::pass: page.raw("<circle cx=\"10\" cy=\"10\" r=\"8\"/><path d=\"M6 10.5l3 3 5-6\"/>"); break;
    case Verdict::attention: page.raw("<path d=\"M10 2.5l8.3 14.5H1.7zM10 8v4M10 14.4v.1\"/>"); break;
    case Verdict::fail: page.raw("<path d=\"M6.5 2h7L18 6.5v7L13.5 18h-7L2 13.5v-7zM7 7l6 6M13 7l-6 6\"/>"); break;
    case Verdict::not_applicable: page.raw("<circle cx=\"10\" cy=\"10\" r=\"8\"/><path d=\"M6.5 10h7\"/>"); break;
  }
  page.raw("</svg>");
}

void add_badge(Markup& page, Verdict verdict) {
  page.raw("<span class=\"badge ").text(to_string(verdict)).raw("\">");
  add_icon(page, verdict);
  page.text(words(verdict)).raw("</span>");
}

void add_fact(Markup& page, std::string_view name, std::string_view value, bool wide) {
  if (wide) {
    page.raw("<div class=\"wide\"><dt>").text(name).raw("</dt><dd class=\"mono\">");
  } else {
    page.raw("<div><dt>").text(name).raw("</dt><dd>");
  }
  page.text(value.empty() ? "not told" : value).raw("</dd></div>\n");
}

void add_number_cell(Markup& page, std::uint64_t value) {
  if (value == 0) {
    page.raw("<td class=\"num zero\">0</td>");
  } else {
    page.raw("<td class=\"num\">").number(value).raw("</td>");
  }
}

}  // namespace hsmsigner::report
