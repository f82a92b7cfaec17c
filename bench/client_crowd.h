// Many kept-alive clients driven by one thread, so that the load generator takes little of the machine it shares.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "closed_loop.h"
#include "lean_client.h"

namespace hsmsigner::bench {

struct CrowdLoad {
  Endpoint endpoint;
  unsigned clients = 1;
  std::size_t warm_up = 0;  // requests before the measured ones, without a pause and on the same connections
  std::size_t requests = 0;
  // 0: a closed loop, each client asks again once it has its answer. Else request number i is due i/per_second seconds
  // after the start, whether or not those before it are answered, and its latency counts from then: what waits for a
  // free client waits at the expense of the figure (no coordinated omission).
  double per_second = 0;
  int expected_status = 200;
};

struct CrowdResult {
  LoopResult loop;         // of the measured requests, the failed ones too
  std::size_t errors = 0;  // answers with another status, the warm-up's too
  std::string first_error;
};

// `request` makes the text of request number i (the warm-up has the first ones); `answered` is told of each answer with
// the expected status; `warm` is called between the two parts. Throws std::runtime_error when a connection breaks or an
// answer takes more than 60 s.
CrowdResult run_crowd(const CrowdLoad& load, const std::function<std::string(std::size_t)>& request,
                      const std::function<void(const LeanClient&)>& answered, const std::function<void()>& warm);

}  // namespace hsmsigner::bench
