// Bar charts as inline SVG, each with a title and a description for those who do not see it. The figures stand in a
// table beside it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/markup.h"

namespace hsmsigner::report {

struct Bar {
  std::string label;  // under the bar, or before it; "": none
  std::uint64_t value = 0;
  bool hatched = false;  // of another kind, told by pattern as well as by colour
  std::string note;      // horizontal only: after the value
};

struct BarChart {
  std::string_view id;  // unique in the document, letters and '-'
  std::string title;
  std::string description;
  std::vector<Bar> bars;
  bool values_shown = true;
};

Markup upright(const BarChart& chart);
Markup lying(const BarChart& chart);

}  // namespace hsmsigner::report
