// The report as one HTML file: no script, no external resource, and a policy that forbids both; readable on a screen,
// on paper (A4) and aloud.
#pragma once

#include <string>

#include "report/model.h"

namespace hsmsigner::report {

// UTF-8. The same report gives the same octets.
std::string html_of(const Report& report);

}  // namespace hsmsigner::report
