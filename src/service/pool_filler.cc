#include "service/pool_filler.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/log.h"
#include "service/pool_batch.h"
#include "service/pool_demand.h"
#include "service/retry_wait.h"

namespace hsmsigner::service {

using std::chrono::steady_clock;

namespace {

// Where the token tells its memory, so much of it is left to keys that requests need at once.
constexpr std::uint64_t kReserve = 10;  // a tenth

}  // namespace

PoolFiller::PoolFiller(KeyPool& pool, hsm::Token& token, store::KeyPoolStore& store, Clock clock, PoolPolicy policy,
                       FillerPace pace)
    : pool_(pool),
      token_(token),
      store_(store),
      clock_(std::move(clock)),
      policy_(std::move(policy)),
      pace_(pace),
      holding_(pool, token, store, clock_, pace.holding, stop_),
      left_plans_(token, store, clock_, pace.left_plans),
      doubt_at_(steady_clock::now() + pace.doubt),
      thread_((lease_first(), [this] { run(); })) {}

// A request that comes at once makes its key under a plan already. The thread begins after it.
bool PoolFiller::lease_first() {
  try {
    holding_.keep();
    holding_.supply_plans();
    return true;
  } catch (const std::exception& error) {
    log::warning("the pool of keys has no lease yet", {{"reason", error.what()}});
    return false;
  }
}

PoolFiller::~PoolFiller() { end_thread(); }

void PoolFiller::end_thread() {
  stop_ = true;
  pool_.wake();
  if (thread_.joinable()) thread_.join();
}

void PoolFiller::finish(Deadline deadline) {
  end_thread();
  try {
    holding_.clear_away();
    holding_.release(deadline);
  } catch (const std::exception& error) {
    log::warning("keys of the pool were not given back; their lease runs out", {{"reason", error.what()}});
  }
}

void PoolFiller::run() {
  while (!stop_) {
    try {
      look();
      failures_ = 0;
      if (!stop_) pool_.wait(pace_.look);
    } catch (const std::exception& error) {
      const std::chrono::milliseconds next = retry_wait(pace_.first_wait, pace_.longest_wait, ++failures_);
      log::warning("the pool of keys was not looked after", {{"reason", error.what()},
                                                             {"failures", failures_},
                                                             {"next_try_ms", static_cast<std::int64_t>(next.count())}});
      // In short waits: claims wake this thread, and the lease runs on.
      const Instant until = steady_clock::now() + next;
      while (!stop_ && steady_clock::now() < until) {
        pool_.wait(std::min<std::chrono::milliseconds>(std::chrono::milliseconds(200), next));
      }
    }
  }
}

void PoolFiller::look() {
  holding_.keep();
  holding_.supply_plans();
  holding_.clear_away();
  const Instant now = steady_clock::now();
  if (now >= doubt_at_) {
    holding_.doubt_all();
    doubt_at_ = now + pace_.doubt;
  }
  look_for_free(now);
  holding_.settle();
  set_marks();
  // One batch of one class after the other, so that none waits for another's hundredth key.
  while (!stop_ && fill_one_class()) {
    holding_.keep();
    holding_.supply_plans();
    set_marks();
  }
}

void PoolFiller::look_for_free(Instant now) {
  if (now < free_at_) return;
  // Small helpings, so that another process at it has its share.
  while (!stop_ && holding_.take_free(policy_.max_keys) > 0) holding_.keep();
  if (policy_.adopt_orphans) holding_.add(left_plans_.look());
  free_at_ = now + pace_.look_for_free;
}

void PoolFiller::set_marks() {
  if (!policy_.classes.empty()) {
    for (const PoolMarks& marks : policy_.classes) pool_.set_marks(marks);
    return;
  }
  for (const PoolFigures& figures : pool_.figures()) {
    const auto known = one_key_.find(figures.key_class);
    const auto one_key = known == one_key_.end() ? std::chrono::duration<double>(0) : known->second;
    pool_.set_marks(learned_marks(figures.key_class, figures.demand, one_key));
  }
}

bool PoolFiller::has_room(Instant now) {
  if (now < room_at_) return false;
  const auto memory = token_.free_memory(deadline_in(pace_.holding.one_try));
  if (!memory || memory->octets > memory->of / kReserve) return true;
  log::warning("the token is nearly full: no keys are made ahead", {{"free", memory->octets}, {"of", memory->of}});
  room_at_ = now + pace_.without_room;
  return false;
}

bool PoolFiller::fill_one_class() {
  // The class that lacks most of its high mark.
  std::optional<PoolFigures> neediest;
  std::size_t missing = 0;
  double lack = 0;
  for (const PoolFigures& figures : pool_.figures()) {
    const std::size_t have = figures.stock + holding_.unsettled(figures.key_class);
    if (have < figures.low) filling_.insert(figures.key_class);
    if (have >= figures.high) filling_.erase(figures.key_class);
    if (!filling_.contains(figures.key_class) || !token_.can_generate(figures.key_class.algorithm)) continue;
    const double share = static_cast<double>(figures.high - have) / static_cast<double>(figures.high);
    if (share <= lack) continue;
    lack = share;
    missing = figures.high - have;
    neediest = figures;
  }
  const Instant now = steady_clock::now();
  if (!neediest || !has_room(now)) return false;

  std::size_t all = 0;
  for (const store::PoolLevel& level : store_.levels(holding_.token_serial(), clock_())) all += level.all;
  if (all >= policy_.max_keys) return false;

  const BatchOrder order{.key_class = neediest->key_class,
                         .count = std::min(missing, policy_.max_keys - all),
                         .parallel = policy_.parallel};
  Batch batch = make_batch(token_, store_, order, clock_(), stop_, [this] { holding_.keep(); });
  if (batch.no_room) room_at_ = now + pace_.without_room;
  if (!batch.keys.empty()) {
    auto& one_key = one_key_[neediest->key_class];
    one_key = one_key.count() == 0 ? batch.one_key : (one_key * 3 + batch.one_key) / 4;
  }
  const bool made = !batch.keys.empty();
  holding_.add(std::move(batch.keys));
  if (batch.failure) {
    // A token that is busy with requests all the time is no failure.
    if (batch.failure->kind() != ErrorKind::session_timeout) throw *batch.failure;
    return false;
  }
  return made;
}

}  // namespace hsmsigner::service
