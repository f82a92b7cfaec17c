#include "machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

namespace hsmsigner::bench {

Machine this_machine() {
  Machine machine;
  machine.cores = sysconf(_SC_NPROCESSORS_ONLN);
  machine.memory_mib = sysconf(_SC_PHYS_PAGES) / 1024 * sysconf(_SC_PAGESIZE) / 1024;
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);) {
    if (!line.starts_with("model name")) continue;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) machine.cpu = line.substr(colon + 2);
    break;
  }
  utsname system{};
  if (uname(&system) == 0) machine.kernel = std::string(system.sysname) + " " + system.release + " " + system.machine;
  return machine;
}

}  // namespace hsmsigner::bench
