// Keeps the stock of keys filled, in the background: a thread of its own, whose generations the token begins only while
// no request waits for it.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "hsm/token.h"
#include "service/key_pool.h"
#include "service/left_plans.h"
#include "service/pool_holding.h"
#include "store/key_pool_store.h"

namespace hsmsigner::service {

struct PoolPolicy {
  std::vector<PoolMarks> classes;  // empty: learned from demand (pool_demand.h)
  std::size_t max_keys = 10'000;   // in the store for this token, all classes and processes together
  bool adopt_orphans = true;
  unsigned parallel = 2;  // keys made at one time; hsm::TokenOptions::parallel_ahead limits it
};

struct FillerPace {
  HoldingPace holding;
  LeftPlansPace left_plans;
  std::chrono::milliseconds look{1000};
  std::chrono::milliseconds look_for_free{5000};  // keys that nobody holds; each look may take a walk over the token
  std::chrono::minutes without_room{10};          // after the token was full
  std::chrono::minutes doubt{60};                 // after which all of the stock is looked at anew
  std::chrono::milliseconds first_wait{1000};     // after a failure; then twice as long after each
  std::chrono::milliseconds longest_wait{60'000};
};

class PoolFiller {
 public:
  // All of them outlive this object. Takes out the lease before it returns, if the store lets it.
  PoolFiller(KeyPool& pool, hsm::Token& token, store::KeyPoolStore& store, Clock clock, PoolPolicy policy,
             FillerPace pace = {});
  // Waits for what is under way in the token.
  ~PoolFiller();
  PoolFiller(const PoolFiller&) = delete;
  PoolFiller& operator=(const PoolFiller&) = delete;

  // Ends the thread.
  void stop() { end_thread(); }
  // The same, and gives back what is held, by all of this process. A failure is logged: then the lease runs out by
  // itself. Call it once, when no request claims any more.
  void finish(Deadline deadline);

 private:
  using Instant = std::chrono::steady_clock::time_point;

  bool lease_first();
  void run();
  void look();
  void look_for_free(Instant now);
  void set_marks();
  bool has_room(Instant now);
  // True when it made some.
  bool fill_one_class();
  void end_thread();

  KeyPool& pool_;
  hsm::Token& token_;
  store::KeyPoolStore& store_;
  const Clock clock_;
  const PoolPolicy policy_;
  const FillerPace pace_;
  std::atomic<bool> stop_ = false;

  // The thread's own.
  PoolHolding holding_;
  LeftPlans left_plans_;
  Instant free_at_{};
  Instant doubt_at_{};
  Instant room_at_{};
  std::set<KeyClass> filling_;  // below low once, and not yet up to high
  std::map<KeyClass, std::chrono::duration<double>> one_key_;
  unsigned failures_ = 0;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace hsmsigner::service
