// N workers, each doing one operation after the other without a pause: the load of a closed loop, and what it took.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace hsmsigner::bench {

struct LoopResult {
  double seconds = 0;                // from the common start to the end of the last operation
  std::vector<double> latencies_ms;  // one per operation, ascending
};

// One function per worker, called from a thread of its own. An operation that fails throws: the loop stops, and the
// first such exception leaves run_closed_loop.
using Workers = std::vector<std::function<void()>>;

// Does `operations` in all; a worker that is faster does more of them. A fixed number rather than a fixed time, so
// that the token is as full after a raw round as after an HTTP round.
LoopResult run_closed_loop(const Workers& workers, std::size_t operations);

}  // namespace hsmsigner::bench
