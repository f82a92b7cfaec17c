// What the disk takes to keep 4 KiB for good: the floor of everything durable.
#pragma once

#include <cstddef>
#include <string>

#include "closed_loop.h"

namespace hsmsigner::bench {

// Appends `operations` times 4 KiB to a file of its own in `directory`, with fdatasync after each, and removes it.
LoopResult measure_disk(const std::string& directory, std::size_t operations);

}  // namespace hsmsigner::bench
