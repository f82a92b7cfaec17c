// Where a run was made, as far as the system tells.
#pragma once

#include <string>

namespace hsmsigner::bench {

struct Machine {
  long cores = 0;
  std::string cpu;
  std::string kernel;
  long memory_mib = 0;
};

Machine this_machine();

}  // namespace hsmsigner::bench
