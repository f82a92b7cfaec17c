// What the process keeps of the memory that it has had and needs no more.
#pragma once

namespace hsmsigner::app {

// For a server with a thread per connection and answers of some 100 kB: memory of that size is had again from the
// allocator's own rather than from the kernel, page by page, each time; and what it keeps for that is bounded: at most
// 8 arenas with at most 4 MiB each. Does nothing where the C library is not glibc. Call before other threads start.
void limit_kept_memory() noexcept;

}  // namespace hsmsigner::app
