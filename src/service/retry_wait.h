// How long to wait after failures in a row: twice as long after each, up to a longest.
#pragma once

#include <algorithm>
#include <chrono>

namespace hsmsigner::service {

// `failures` from 1 on.
inline std::chrono::milliseconds retry_wait(std::chrono::milliseconds first, std::chrono::milliseconds longest,
                                            unsigned failures) {
  const unsigned doublings = std::min(failures == 0 ? 0U : failures - 1, 20U);
  return std::min<std::chrono::milliseconds>(longest, first * (1LL << doublings));
}

}  // namespace hsmsigner::service
