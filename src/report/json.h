// The report as JSON, for programs: every figure that html.h shows, in a fixed order.
#pragma once

#include <string>

#include "report/model.h"

namespace hsmsigner::report {

// UTF-8, indented, with a line feed at the end. The same report gives the same octets. Members are described in
// docs/COMPLIANCE.md; what was not looked at is null.
std::string json_of(const Report& report);

}  // namespace hsmsigner::report
