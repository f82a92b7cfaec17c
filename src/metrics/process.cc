#include "metrics/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

namespace hsmsigner::metrics {
namespace {

double seconds_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// proc(5), /proc/pid/stat: field 22, in clock ticks since boot. The second field is a name in parentheses, which may
// hold anything.
std::optional<double> read_start_time() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double ticks = 0;
  if (!(fields >> ticks)) return std::nullopt;
  const double age = seconds_of(CLOCK_BOOTTIME) - ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return seconds_of(CLOCK_REALTIME) - age;
}

// proc(5), /proc/pid/statm: the second field, in pages.
std::optional<double> resident_memory() {
  std::ifstream file("/proc/self/statm");
  double size = 0;
  double resident = 0;
  if (!(file >> size >> resident)) return std::nullopt;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::optional<double> open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), ::closedir);
  if (!directory) return std::nullopt;
  double entries = 0;
  while (::readdir(directory.get()) != nullptr) ++entries;
  return entries - 3;  // ".", "..", and the directory's own
}

}  // namespace

ProcessMetrics::ProcessMetrics() : start_time_(read_start_time().value_or(0)) {}

void ProcessMetrics::add_to(Exposition& exposition) const {
  exposition.add(Metric::process_cpu_seconds, {}, seconds_of(CLOCK_PROCESS_CPUTIME_ID));
  if (start_time_ > 0) exposition.add(Metric::process_start_time, {}, start_time_);
  if (const auto octets = resident_memory()) exposition.add(Metric::process_resident_memory, {}, *octets);
  if (const auto open = open_descriptors()) exposition.add(Metric::process_open_fds, {}, *open);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    exposition.add(Metric::process_max_fds, {}, static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace hsmsigner::metrics
