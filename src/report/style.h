// How the report looks, on a screen and on A4 paper: the one style sheet, inline in the page.
#pragma once

#include <string_view>

namespace hsmsigner::report {

extern const std::string_view kStyle;

}  // namespace hsmsigner::report
