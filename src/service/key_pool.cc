#include "service/key_pool.h"

#include <cmath>
#include <utility>

namespace hsmsigner::service {

using std::chrono::steady_clock;

PooledKey::PooledKey(PooledKey&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      key_(std::move(other.key_)),
      claim_(std::move(other.claim_)),
      may_have_signed_(other.may_have_signed_) {}

PooledKey::~PooledKey() {
  if (pool_ != nullptr) pool_->give_back(std::move(key_), may_have_signed_);
}

void PooledKey::gone() noexcept {
  if (KeyPool* const pool = std::exchange(pool_, nullptr)) pool->forget(claim_.id);
}

double KeyPool::demand_of(const ClassState& state, Deadline now) {
  const double seconds = std::chrono::duration<double>(now - state.demand_at).count();
  return state.demand * std::exp(-seconds / static_cast<double>(kDemandWindow.count()));
}

std::optional<PooledKey> KeyPool::claim(const KeyClass& key_class) {
  const std::lock_guard lock(mutex_);
  const Deadline now = steady_clock::now();
  ClassState& state = classes_[key_class];
  state.demand = demand_of(state, now) + 1;
  state.demand_at = now;
  std::optional<PooledKey> claimed;
  while (!claimed && now < held_until_ && !state.stock.empty()) {
    StockKey key = std::move(state.stock.front());
    state.stock.pop_front();
    if (key.key->is_located()) {
      out_.insert(key.record.id);
      claimed.emplace(*this, std::move(key), owner_);
    } else {
      unlocated_.push_back(std::move(key));
    }
  }
  ++(claimed ? state.claims : state.misses);
  if (!unlocated_.empty() || state.stock.size() < state.low) {
    woken_ = true;
    changed_.notify_one();
  }
  return claimed;
}

std::optional<store::PoolClaim> KeyPool::plan(Deadline deadline) {
  std::string owner;
  {
    const std::lock_guard lock(mutex_);
    if (steady_clock::now() >= held_until_) return std::nullopt;
    owner = owner_;
    if (!plans_.empty()) {
      store::PoolClaim planned{plans_.back(), owner};
      plans_.pop_back();
      return planned;
    }
  }
  store::PoolClaim planned{Uuid::random(), owner};
  store_.plan(token_.info().serial, {planned.id}, deadline);
  return planned;
}

void KeyPool::in_vain(const Uuid& id) {
  const std::lock_guard lock(mutex_);
  vain_.push_back(id);
}

bool KeyPool::holds() const {
  const std::lock_guard lock(mutex_);
  return steady_clock::now() < held_until_;
}

void KeyPool::doubt_lease() {
  const std::lock_guard lock(mutex_);
  held_until_ = {};
  doubtful_ = true;
  woken_ = true;
  changed_.notify_one();
}

void KeyPool::tell_lapse() {
  for (KeyPool* const other : others_) other->doubt_lease();
}

bool KeyPool::take_doubt() {
  const std::lock_guard lock(mutex_);
  return std::exchange(doubtful_, false);
}

void KeyPool::add_plans(std::vector<Uuid> ids) {
  const std::lock_guard lock(mutex_);
  plans_.insert(plans_.end(), ids.begin(), ids.end());
}

std::size_t KeyPool::plans() const {
  const std::lock_guard lock(mutex_);
  return plans_.size();
}

std::vector<Uuid> KeyPool::take_plans() {
  const std::lock_guard lock(mutex_);
  return std::exchange(plans_, {});
}

std::vector<Uuid> KeyPool::take_vain() {
  const std::lock_guard lock(mutex_);
  return std::exchange(vain_, {});
}

std::vector<PoolFigures> KeyPool::figures() const {
  const std::lock_guard lock(mutex_);
  const Deadline now = steady_clock::now();
  std::vector<PoolFigures> figures;
  for (const auto& [key_class, state] : classes_) {
    figures.push_back(
        {key_class, state.stock.size(), state.low, state.high, state.claims, state.misses, demand_of(state, now)});
  }
  return figures;
}

void KeyPool::give_back(StockKey key, bool spoiled) {
  const std::lock_guard lock(mutex_);
  if (!spoiled) {
    out_.erase(key.record.id);
    classes_[key.record.key_class].stock.push_front(std::move(key));
    return;
  }
  spoiled_.push_back(std::move(key));
  woken_ = true;
  changed_.notify_one();
}

void KeyPool::hold_until(const std::string& owner, Deadline until) {
  const std::lock_guard lock(mutex_);
  owner_ = owner;
  held_until_ = until;
}

void KeyPool::add(std::vector<StockKey> keys) {
  const std::lock_guard lock(mutex_);
  for (StockKey& key : keys) {
    if (!out_.contains(key.record.id)) classes_[key.record.key_class].stock.push_back(std::move(key));
  }
}

std::vector<StockKey> KeyPool::take_all() {
  const std::lock_guard lock(mutex_);
  std::vector<StockKey> all = std::exchange(unlocated_, {});
  for (auto& [key_class, state] : classes_) {
    for (StockKey& key : state.stock) all.push_back(std::move(key));
    state.stock.clear();
  }
  return all;
}

std::vector<StockKey> KeyPool::take_unlocated() {
  const std::lock_guard lock(mutex_);
  return std::exchange(unlocated_, {});
}

std::vector<StockKey> KeyPool::take_spoiled() {
  const std::lock_guard lock(mutex_);
  return std::exchange(spoiled_, {});
}

void KeyPool::forget(const Uuid& id) {
  const std::lock_guard lock(mutex_);
  out_.erase(id);
}

void KeyPool::set_marks(const PoolMarks& marks) {
  const std::lock_guard lock(mutex_);
  ClassState& state = classes_[marks.key_class];
  state.low = marks.low;
  state.high = marks.high;
}

void KeyPool::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return woken_; });
  woken_ = false;
}

void KeyPool::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

}  // namespace hsmsigner::service
