// The stock of key pairs made ahead, in the memory of this process: what a request takes its key from without asking
// the token or the store anything. PoolFiller fills it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/key_class.h"
#include "hsm/token.h"
#include "store/key_pool_store.h"

namespace hsmsigner::service {

// A key of the stock: this process's by the store's word, in the token, proven to be what its record says.
struct StockKey {
  store::PoolKeyRecord record;
  std::shared_ptr<hsm::TokenKey> key;
};

// How many keys of a class there should be: filled up to `high` once there are fewer than `low`.
struct PoolMarks {
  KeyClass key_class;
  std::size_t low = 0;
  std::size_t high = 0;
};

struct PoolFigures {
  KeyClass key_class;
  std::size_t stock = 0;
  std::size_t low = 0;
  std::size_t high = 0;
  std::uint64_t claims = 0;
  std::uint64_t misses = 0;  // requests that found no key
  double demand = 0;         // requests of about the last ten minutes
};

class KeyPool;

// A key taken from the stock. Goes back there when nothing was made of it; once it may have signed it is never handed
// out again but destroyed, in the background: for what it signed nobody will ever answer.
class PooledKey {
 public:
  PooledKey(KeyPool& pool, StockKey key, std::string owner)
      : pool_(&pool), key_(std::move(key)), claim_{key_.record.id, std::move(owner)} {}
  PooledKey(PooledKey&& other) noexcept;
  PooledKey& operator=(PooledKey&&) = delete;
  ~PooledKey();

  const store::PoolKeyRecord& record() const noexcept { return key_.record; }
  const std::shared_ptr<hsm::TokenKey>& key() const noexcept { return key_.key; }
  // What the certificate's transaction removes from the pool.
  const store::PoolClaim& claim() const noexcept { return claim_; }

  // Before the first signature with it.
  void will_sign() noexcept { may_have_signed_ = true; }
  // It has its certificate, or is another process's now: the stock has nothing more to do with it.
  void gone() noexcept;

 private:
  KeyPool* pool_;
  StockKey key_;
  store::PoolClaim claim_;
  bool may_have_signed_ = false;
};

// Thread safe.
class KeyPool {
 public:
  // Time over which requests are counted.
  static constexpr std::chrono::seconds kDemandWindow{600};

  // Both outlive this object.
  KeyPool(hsm::Token& token, store::KeyPoolStore& store) : token_(token), store_(store) {}
  KeyPool(const KeyPool&) = delete;
  KeyPool& operator=(const KeyPool&) = delete;

  // Nothing when there is none of the class that is located and this process's for certain. Waits for nothing.
  std::optional<PooledKey> claim(const KeyClass& key_class);

  // For a key that a request makes at once: an id that is on record as planned, so that a crash leaves no key which
  // nobody knows of. From memory; written down now when there is none. Nothing while this process holds no lease.
  // Throws what the store throws.
  std::optional<store::PoolClaim> plan(Deadline deadline);
  // The planned key was not made, or was destroyed.
  void in_vain(const Uuid& id);
  // Whether what this process holds is its own for certain.
  bool holds() const;
  // The store has said of a key that it is not: so nothing is for certain, until the filler has renewed the lease and
  // read anew what is held.
  void doubt_lease();

  std::vector<PoolFigures> figures() const;

  // Pools of other tokens in this process, which outlive the use of this one. Before any other call.
  void share_lease_with(std::vector<KeyPool*> others) { others_ = std::move(others); }

  // --- for the filler
  // The lease had run out: what the others hold is in doubt too, and who renews it next would not be told.
  void tell_lapse();
  // Until then what is held is this process's; before the first call nothing is.
  void hold_until(const std::string& owner, Deadline until);
  // Whether there was a doubt_lease() since the last call.
  bool take_doubt();
  // Leaves out what is with a request at this moment: it comes back by itself, or never.
  void add(std::vector<StockKey> keys);
  // Takes the whole stock away: to be read anew from the store.
  std::vector<StockKey> take_all();
  void add_plans(std::vector<Uuid> ids);
  std::size_t plans() const;
  // Those that no request has taken.
  std::vector<Uuid> take_plans();
  // Those that were in vain.
  std::vector<Uuid> take_vain();
  // Those that were not located when they were to be claimed, as after the token was lost.
  std::vector<StockKey> take_unlocated();
  // Those that may have signed and have no certificate. They count as being with a request until forget().
  std::vector<StockKey> take_spoiled();
  void forget(const Uuid& id);
  void set_marks(const PoolMarks& marks);
  // Returns when a class falls below its low mark, when something lies with take_unlocated() or take_spoiled(), after
  // wake(), or when the time is over.
  void wait(std::chrono::milliseconds time);
  void wake();

 private:
  friend class PooledKey;
  struct ClassState {
    std::deque<StockKey> stock;  // the oldest first
    std::size_t low = 0;
    std::size_t high = 0;
    std::uint64_t claims = 0;
    std::uint64_t misses = 0;
    double demand = 0;
    Deadline demand_at{};
  };

  static double demand_of(const ClassState& state, Deadline now);
  void give_back(StockKey key, bool spoiled);

  hsm::Token& token_;
  store::KeyPoolStore& store_;
  std::vector<KeyPool*> others_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;  // guarded by mutex_, as all below
  std::string owner_;
  Deadline held_until_{};
  bool doubtful_ = false;
  std::map<KeyClass, ClassState> classes_;
  std::set<Uuid> out_;  // with a request
  std::vector<StockKey> unlocated_;
  std::vector<StockKey> spoiled_;
  std::vector<Uuid> plans_;
  std::vector<Uuid> vain_;
};

}  // namespace hsmsigner::service
