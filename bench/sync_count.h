// How often the server asked the disk to keep something: written by sync_count.cc inside it, read by the load
// generator.
#pragma once

#include <cstdint>

namespace hsmsigner::bench {

// The whole of the file.
struct SyncCounts {
  std::uint64_t store = 0;   // on the files of the store
  std::uint64_t others = 0;  // on any other file, the token's among them
};

}  // namespace hsmsigner::bench
