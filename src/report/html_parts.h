// The parts that the page's sections are made of. Private to this room.
#pragma once

#include <string_view>

#include "report/markup.h"
#include "report/model.h"

namespace hsmsigner::report {

std::string_view words(Verdict verdict) noexcept;  // "Not applicable"
// A shape for each verdict, so that they differ without colour. Hidden from screen readers: the words say it.
void add_icon(Markup& page, Verdict verdict);
void add_badge(Markup& page, Verdict verdict);
// A name and its value in a list of facts; wide: over the whole line, in a fixed pitch.
void add_fact(Markup& page, std::string_view name, std::string_view value, bool wide = false);
// Digits without separators, so that they can be searched for. Zeros stand back.
void add_number_cell(Markup& page, std::uint64_t value);

// Sections. html_sections.cc
void add_token(Markup& page, const Facts& facts);
void add_inventory(Markup& page, const Facts& facts);
void add_accounts(Markup& page, const Facts& facts);
void add_journal(Markup& page, const Facts& facts);
void add_findings(Markup& page, const Facts& facts);
// html_charts.cc
void add_charts(Markup& page, const Facts& facts);

}  // namespace hsmsigner::report
