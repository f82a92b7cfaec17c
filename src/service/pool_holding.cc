#include "service/pool_holding.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "crypto/public_key_info.h"
#include "service/key_proof.h"

namespace hsmsigner::service {
namespace {

using std::chrono::steady_clock;

// Keys proven before the lease is looked at again, and before what is proven becomes stock.
constexpr std::size_t kPiece = 32;

audit::Event event_of(audit::EventKind kind, const Uuid& id, const std::string& serial, const std::string& reason) {
  audit::Event event{.kind = kind, .object = id.to_string()};
  event.details = {{"token", serial}, {"reason", reason}};
  return event;
}

}  // namespace

PoolHolding::PoolHolding(KeyPool& pool, hsm::Token& token, store::KeyPoolStore& store, Clock clock, HoldingPace pace,
                         const std::atomic<bool>& stop)
    : pool_(pool), token_(token), store_(store), clock_(std::move(clock)), pace_(pace), stop_(stop) {}

bool PoolHolding::keep() {
  const auto began = steady_clock::now();
  if (pool_.take_doubt()) doubtful_ = true;
  if (began < renew_at_ && !doubtful_) return false;
  const UnixTime now = clock_();
  const bool renewed = store_.renew(now, now + pace_.lease, soon());
  if (!renewed) pool_.tell_lapse();
  const bool lasted = renewed && !doubtful_;
  renew_at_ = began + pace_.renew;
  if (!lasted) {
    // Others may have taken some of it, or all: nothing is stock until it has been read anew.
    pool_.take_all();
    pool_.take_plans();
    unsettled_.clear();
    take_in(store_.held(token_serial()));
    doubtful_ = false;
  }
  // From before the renewal was sent: the store's clock began no earlier.
  pool_.hold_until(store_.owner(), began + pace_.lease - pace_.margin);
  return !lasted;
}

std::size_t PoolHolding::take_free(std::size_t most) {
  if (store_.end_leases_of_the_dead(soon()) > 0) log::info("keys of a process that is gone are taken over", {});
  std::size_t taken = 0;
  for (const store::PoolLevel& level : store_.levels(token_serial(), clock_())) {
    if (level.all == level.held || level.own >= most) continue;
    auto records =
        store_.take(token_serial(), level.key_class, std::min(pace_.take, most - level.own), clock_(), soon());
    taken += records.size();
    take_in(std::move(records));
  }
  return taken;
}

void PoolHolding::take_in(std::vector<store::PoolKeyRecord> records) {
  for (store::PoolKeyRecord& record : records) {
    try {
      auto key = token_.key(record.id, crypto::public_key_from_pem(record.public_key_pem));
      unsettled_.push_back({std::move(record), std::move(key)});
    } catch (const Error& error) {
      // Not written by this program. It is left alone, and so is its key.
      log::error("a record of the pool cannot be read", {{"id", record.id.to_string()}, {"cause", error.what()}});
    }
  }
}

void PoolHolding::settle() {
  for (StockKey& key : pool_.take_unlocated()) unsettled_.push_back(std::move(key));
  if (unsettled_.empty()) return;
  token_.walk(deadline_in(6 * pace_.one_try));
  std::vector<StockKey> pending = std::exchange(unsettled_, {});
  std::vector<StockKey> proven;
  try {
    while (!pending.empty() && !stop_) {
      if (settle_one(pending.back())) proven.push_back(std::move(pending.back()));
      pending.pop_back();
      if (proven.size() >= kPiece) {
        pool_.add(std::exchange(proven, {}));
        if (keep()) return;  // what is pending here has been read anew
      }
    }
  } catch (...) {
    std::move(pending.begin(), pending.end(), std::back_inserter(unsettled_));
    pool_.add(std::move(proven));
    throw;
  }
  std::move(pending.begin(), pending.end(), std::back_inserter(unsettled_));
  pool_.add(std::move(proven));
}

// True when it may become stock.
bool PoolHolding::settle_one(StockKey& key) {
  try {
    // Where the walk did not see it: it is gone, there are several, or the token was lost meanwhile. A search says
    // which.
    if (!key.key->is_located() && !key.key->is_present(soon())) {
      lose(key);
      return false;
    }
    const std::optional<std::string> reason = prove(token_, key, soon());
    if (reason) reject(key, *reason);
    return !reason;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::internal_error) throw;  // the token's or the store's state, and not this key's
    log::error("a key of the pool cannot be proven and is left alone",
               {{"id", key.record.id.to_string()}, {"cause", error.what()}});
    return false;
  }
}

void PoolHolding::reject(const StockKey& key, const std::string& why) {
  log::error("a key of the pool is not what it should be", {{"id", key.record.id.to_string()}, {"reason", why}});
  spoiled_.push_back(key);
}

void PoolHolding::lose(const StockKey& key) {
  log::warning("a key of the pool is not in the token", {{"id", key.record.id.to_string()}});
  if (!store_.withdraw(key.record.id, soon())) return;
  store_.erase_withdrawn(
      key.record.id,
      event_of(audit::EventKind::pool_key_lost, key.record.id, token_serial(), "it was not in the token"), soon());
}

// False when the token will not, for a reason that lies in the key.
bool PoolHolding::destroyed(const Uuid& id) {
  try {
    token_.destroy(id, soon());
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal_error) {
      log::error("a key of the pool cannot be destroyed", {{"id", id.to_string()}, {"cause", error.what()}});
      return false;
    }
    if (error.kind() != ErrorKind::object_not_present) throw;
  }
  return true;
}

void PoolHolding::supply_plans() {
  if (pool_.plans() > pace_.plans / 4) return;
  std::vector<Uuid> ids;
  for (std::size_t i = 0; i < pace_.plans; ++i) ids.push_back(Uuid::random());
  store_.plan(token_serial(), ids, soon());
  pool_.add_plans(std::move(ids));
}

void PoolHolding::clear_away() {
  if (const std::vector<Uuid> vain = pool_.take_vain(); !vain.empty()) store_.end_plans(vain, nullptr, soon());
  for (StockKey& key : pool_.take_spoiled()) spoiled_.push_back(std::move(key));
  while (!spoiled_.empty()) {
    const Uuid id = spoiled_.back().record.id;
    // Withdrawn first: from here on nobody can use it, and whoever comes next goes on with it after a crash. Not
    // withdrawn: it is another process's, or has a certificate after all.
    store_.withdraw(id, soon());
    pool_.forget(id);
    spoiled_.pop_back();
  }
  for (const Uuid& id : store_.withdrawn(token_serial(), clock_())) {
    if (!destroyed(id)) continue;
    store_.erase_withdrawn(id,
                           event_of(audit::EventKind::key_destroyed, id, token_serial(),
                                    "a key of the pool that was used in vain, or not as it should be"),
                           soon());
    log::info("key of the pool destroyed", {{"id", id.to_string()}});
  }
}

void PoolHolding::doubt_all() {
  for (StockKey& key : pool_.take_all()) unsettled_.push_back(std::move(key));
}

void PoolHolding::release(Deadline deadline) {
  pool_.hold_until("", Deadline{});
  pool_.take_all();
  if (const std::vector<Uuid> unused = pool_.take_plans(); !unused.empty()) {
    store_.end_plans(unused, nullptr, deadline);
  }
  unsettled_.clear();
  store_.release(deadline);
}

std::size_t PoolHolding::unsettled(const KeyClass& key_class) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(unsettled_, [&](const StockKey& key) { return key.record.key_class == key_class; }));
}

}  // namespace hsmsigner::service
