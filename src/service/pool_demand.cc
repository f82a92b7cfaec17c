#include "service/pool_demand.h"

#include <algorithm>
#include <cmath>

namespace hsmsigner::service {

PoolMarks learned_marks(const KeyClass& key_class, double demand, std::chrono::duration<double> one_key) {
  if (demand < kLeastDemand) return {key_class, 0, 0};
  const double a_second = demand / static_cast<double>(KeyPool::kDemandWindow.count());
  const double wanted = std::ceil(a_second * std::max(60.0, 30 * one_key.count()));
  const auto high = static_cast<std::size_t>(std::min(wanted, static_cast<double>(kMostLearned)));
  return {key_class, (high + 1) / 2, high};
}

}  // namespace hsmsigner::service
