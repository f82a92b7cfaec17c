#include "service/key_pools.h"

#include <algorithm>

namespace hsmsigner::service {

KeyPools::KeyPools(const TokenSet& tokens, store::KeyPoolStore& store) {
  for (const ServiceToken& each : tokens.all()) {
    if (!each.uses.authorities && !each.uses.leaves) continue;
    pools_.push_back({each.token, std::make_unique<KeyPool>(each.token, store)});
  }
  for (const Entry& each : pools_) {
    std::vector<KeyPool*> others;
    for (const Entry& other : pools_) {
      if (other.pool != each.pool) others.push_back(other.pool.get());
    }
    each.pool->share_lease_with(std::move(others));
  }
}

KeyPool* KeyPools::of(const hsm::Token& token) const noexcept {
  const auto found = std::ranges::find_if(pools_, [&](const Entry& each) { return &each.token == &token; });
  return found == pools_.end() ? nullptr : found->pool.get();
}

void KeyPools::doubt_lease() {
  for (const Entry& each : pools_) each.pool->doubt_lease();
}

}  // namespace hsmsigner::service
