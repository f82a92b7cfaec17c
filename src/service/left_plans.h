// What a process that died had planned: a key that it made and did not come to write down is taken into the pool, or
// destroyed if it is not as it should be. So a crash leaves nothing behind in the token. Keys that are under no plan of
// this store are nobody's business here, whatever their label says: they may be another store's.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "hsm/token.h"
#include "service/key_pool.h"
#include "store/key_pool_store.h"

namespace hsmsigner::service {

struct LeftPlansPace {
  std::chrono::milliseconds one_try{10'000};   // for the token and the store
  std::chrono::minutes longest_generation{6};  // a token may still be at what a dead process asked of it
};

// For one thread.
class LeftPlans {
 public:
  // All of them outlive this object.
  LeftPlans(hsm::Token& token, store::KeyPoolStore& store, Clock clock, LeftPlansPace pace = {})
      : token_(token), store_(store), clock_(std::move(clock)), pace_(pace) {}

  // Takes over the plans of the dead and looks for their keys; for those it does not find once more, at the end of
  // `longest_generation`. Returns the keys that are stock from now on. Costs one small write when there are none.
  // Throws what the token and the store throw; what was adopted until then is this process's all the same, and comes
  // with the next call.
  std::vector<StockKey> look();

 private:
  struct Pending {
    Deadline next{};
    Deadline give_up{};
  };
  Deadline soon() const { return deadline_in(pace_.one_try); }
  void settle(const Uuid& id, const std::string& label);
  std::optional<std::string> adopt(const Uuid& id, const std::string& label);
  std::optional<PublicKey> public_half(const Uuid& id, const hsm::KeyDescription& key, KeyAlgorithm algorithm);
  void destroy(const Uuid& id, const std::string& why);

  hsm::Token& token_;
  store::KeyPoolStore& store_;
  const Clock clock_;
  const LeftPlansPace pace_;
  std::map<Uuid, Pending> pending_;
  std::vector<StockKey> adopted_;
};

}  // namespace hsmsigner::service
