// Keys made ahead, some at a time: in the token first, then on record with their event, and only then are they stock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "audit/event.h"
#include "base/clock.h"
#include "base/error.h"
#include "hsm/token.h"
#include "service/key_pool.h"
#include "store/key_pool_store.h"

namespace hsmsigner::service {

struct BatchOrder {
  KeyClass key_class;
  std::size_t count = 0;  // at most kLargestBatch
  unsigned parallel = 1;
  std::chrono::milliseconds time{2000};        // none is begun after it
  std::chrono::milliseconds one_key{120'000};  // the longest that one may take, waiting for the token included
  store::KeyPoolStore::Hold hold = store::KeyPoolStore::Hold::own;
  audit::Origin origin{};  // for the event; the service itself, unless told otherwise
};

// The event names every key of a batch, and its texts are bounded.
inline constexpr std::size_t kLargestBatch = 24;

struct Batch {
  std::vector<StockKey> keys;                // durable
  bool no_room = false;                      // the token has no room for more
  std::optional<Error> failure;              // why there are fewer than ordered; the keys are good all the same
  std::chrono::duration<double> one_key{0};  // the time one took, mean; 0 when none was made
};

// Begins no further key once `stop` is set. `idle` is called about every second meanwhile, on the caller's thread.
// Keys that could not be written down are destroyed. Throws what the store throws.
Batch make_batch(hsm::Token& token, store::KeyPoolStore& store, const BatchOrder& order, UnixTime now,
                 const std::atomic<bool>& stop, const std::function<void()>& idle);

}  // namespace hsmsigner::service
