// How the program's allocator, jemalloc, is set. It is linked for two things that docs/PERFORMANCE.md has figures of: many
// threads allocate beside each other (one for each connection, others for the token and the store), and what an answer
// of some 100 kB has taken is had again from the allocator for a while, then given back.
#include <jemalloc/jemalloc.h>

// Read by jemalloc before main(); jemalloc(3), TUNING. Arenas: two for each processor of a usual machine, as each keeps
// some memory. Decay: milliseconds until unused memory goes back to the system.
extern "C" {
const char* malloc_conf = "narenas:8,dirty_decay_ms:2000,muzzy_decay_ms:0";
}
