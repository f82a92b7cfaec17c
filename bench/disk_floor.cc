#include "disk_floor.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "base/file_descriptor.h"

namespace hsmsigner::bench {

LoopResult measure_disk(const std::string& directory, std::size_t operations) {
  std::string path = directory + "/sync.XXXXXX";
  const FileDescriptor file(::mkstemp(path.data()));
  if (!file.is_open()) throw std::runtime_error("no file can be made in " + directory);
  ::unlink(path.c_str());
  const std::array<char, 4096> block{};
  return run_closed_loop(
      {[&] {
        if (::write(file.get(), block.data(), block.size()) != ssize_t{block.size()} || ::fdatasync(file.get()) != 0) {
          throw std::runtime_error("a write to the disk failed");
        }
      }},
      operations);
}

}  // namespace hsmsigner::bench
