// What this process holds of the pool: keeps its lease, takes keys that nobody holds, finds and proves them in the
// token before they become stock, and destroys those that must not be used.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <vector>

#include "base/clock.h"
#include "hsm/token.h"
#include "service/key_pool.h"
#include "store/key_pool_store.h"

namespace hsmsigner::service {

struct HoldingPace {
  std::chrono::seconds lease{60};             // what a stalled process may hold up others
  std::chrono::seconds renew{15};             // after which the lease is prolonged
  std::chrono::seconds margin{5};             // before its end, at which its holder stops using it
  std::chrono::milliseconds one_try{10'000};  // for the token and the store
  std::size_t plans = 128;                    // written down at once; more when a quarter is left
  std::size_t take = 256;  // keys of a class taken at once, so that several processes have their share
};

// For one thread.
class PoolHolding {
 public:
  // All of them outlive this object. Work ends early once `stop` is set.
  PoolHolding(KeyPool& pool, hsm::Token& token, store::KeyPoolStore& store, Clock clock, HoldingPace pace,
              const std::atomic<bool>& stop);

  // Each throws what the store and the token throw, and then can be called again.

  // Prolongs the lease when that is due. True after a lapse, and the first time: then what is held was read anew, and
  // all of it is to be settled.
  bool keep();
  // Takes keys that nobody holds, those of the dead among them; returns how many it took. `most`: of each class to
  // have.
  std::size_t take_free(std::size_t most);
  // Makes stock of what was taken or was lost sight of. One walk over the token.
  void settle();
  // Has what was made by this process. It is proven: it comes from the token.
  void add(std::vector<StockKey> keys) { pool_.add(std::move(keys)); }
  // Destroys what may have signed, and what others left half destroyed; ends the plans that were in vain.
  void clear_away();
  // Sees to it that requests find planned ids in memory.
  void supply_plans();
  // Looks at all of the stock anew: it may have gone from the token behind our back.
  void doubt_all();
  // At the end: everything is given back.
  void release(Deadline deadline);

  // Held, but not stock yet.
  std::size_t unsettled(const KeyClass& key_class) const;
  const std::string& token_serial() const { return token_.info().serial; }

 private:
  Deadline soon() const { return deadline_in(pace_.one_try); }
  void take_in(std::vector<store::PoolKeyRecord> records);
  bool settle_one(StockKey& key);
  bool destroyed(const Uuid& id);
  void reject(const StockKey& key, const std::string& why);
  void lose(const StockKey& key);

  KeyPool& pool_;
  hsm::Token& token_;
  store::KeyPoolStore& store_;
  const Clock clock_;
  const HoldingPace pace_;
  const std::atomic<bool>& stop_;

  Deadline renew_at_{};
  bool doubtful_ = false;
  std::vector<StockKey> unsettled_;
  std::vector<StockKey> spoiled_;
};

}  // namespace hsmsigner::service
