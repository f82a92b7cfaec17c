#include "app/memory_limits.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace hsmsigner::app {

void limit_kept_memory() noexcept {
#ifdef __GLIBC__
  // One that is not taken leaves the default, which is slower and no error. Setting any of them ends glibc's own
  // adjusting of the others.
  ::mallopt(M_ARENA_MAX, 8);
  ::mallopt(M_MMAP_THRESHOLD, 2 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 4 << 20);
#endif
}

}  // namespace hsmsigner::app
