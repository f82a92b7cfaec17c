#include "server_process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace hsmsigner::bench {

double processor_seconds(int process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  // The second field, the program's name, is in parentheses and may hold blanks; proc(5).
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) throw std::runtime_error("no process " + std::to_string(process));
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field <= 13; ++field) fields >> skipped;
  double user = 0;
  double system = 0;
  if (!(fields >> user >> system)) throw std::runtime_error("/proc/PID/stat is not as expected");
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double own_processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_megabytes(int process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");
  long long whole = 0;
  long long resident = 0;
  if (!(file >> whole >> resident)) throw std::runtime_error("the server's memory cannot be read");
  return static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / 1e6;
}

SyncCounts sync_counts(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  SyncCounts counts;
  if (!stream.read(reinterpret_cast<char*>(&counts), sizeof counts)) {
    throw std::runtime_error("no counts of fsync in " + file);
  }
  return counts;
}

}  // namespace hsmsigner::bench
