// A report with something in every part of it, hostile names included.
#pragma once

#include <string>

#include "report/model.h"

namespace test_support {

inline const std::string kHostileName = "<script>alert(1)</script>\"'&";

hsmsigner::report::Facts sample_facts();
// The same, judged.
hsmsigner::report::Report sample_report();
// Nothing was looked at, and nothing is there.
hsmsigner::report::Facts empty_facts();

}  // namespace test_support
