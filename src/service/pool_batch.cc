#include "service/pool_batch.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "audit/event.h"
#include "crypto/public_key_info.h"
#include "service/certificate_facts.h"

namespace hsmsigner::service {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kWriteTime{10};
constexpr std::chrono::seconds kBetweenIdleCalls{1};

// What the threads of one batch share.
class Making {
 public:
  // `ids` are planned.
  Making(hsm::Token& token, const BatchOrder& order, std::vector<Uuid> ids, const std::atomic<bool>& stop)
      : token_(token), order_(order), stop_(stop), ids_(std::move(ids)), end_(steady_clock::now() + order.time) {}

  // On each thread.
  void run() {
    while (const auto id = begin_one()) {
      const auto began = steady_clock::now();
      try {
        add(token_.generate_ahead({*id, order_.key_class.algorithm, order_.key_class.block_export},
                                  deadline_in(order_.one_key)),
            steady_clock::now() - began);
      } catch (const Error& error) {
        fail(error);
      } catch (const std::exception& error) {
        fail(Error(ErrorKind::internal_error).with_cause(error.what()));
      }
    }
    const std::lock_guard lock(mutex_);
    ++ended_;
    changed_.notify_all();
  }

  bool wait_for_end(unsigned threads, std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [&] { return ended_ == threads; });
  }

  // After the end.
  std::vector<Uuid> unused() const { return ids_; }
  std::vector<hsm::GeneratedKey> keys;
  Batch batch;

 private:
  std::optional<Uuid> begin_one() {
    const std::lock_guard lock(mutex_);
    if (ids_.empty() || stop_ || batch.no_room || batch.failure || steady_clock::now() >= end_) return std::nullopt;
    const Uuid id = ids_.back();
    ids_.pop_back();
    return id;
  }
  void add(std::optional<hsm::GeneratedKey> key, std::chrono::duration<double> took) {
    const std::lock_guard lock(mutex_);
    if (!key) {
      batch.no_room = true;
      return;
    }
    keys.push_back(std::move(*key));
    const auto made = static_cast<double>(keys.size());
    batch.one_key += (took - batch.one_key) / made;
  }
  void fail(const Error& error) {
    const std::lock_guard lock(mutex_);
    batch.failure = error;
  }

  hsm::Token& token_;
  const BatchOrder& order_;
  const std::atomic<bool>& stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Uuid> ids_;  // guarded by mutex_, as `keys` and `batch` while threads run
  unsigned ended_ = 0;     // guarded by mutex_
  const Deadline end_;
};

audit::Event filled_event(const BatchOrder& order, const std::vector<hsm::GeneratedKey>& keys) {
  audit::Event event{.kind = audit::EventKind::pool_filled, .origin = order.origin};
  std::string ids;
  for (const hsm::GeneratedKey& key : keys) ids += (ids.empty() ? "" : " ") + key.key()->id().to_string();
  event.details = {
      {"class", order.key_class.to_string()}, {"count", std::to_string(keys.size())}, {"ids", std::move(ids)}};
  return event;
}

}  // namespace

Batch make_batch(hsm::Token& token, store::KeyPoolStore& store, const BatchOrder& order, UnixTime now,
                 const std::atomic<bool>& stop, const std::function<void()>& idle) {
  std::vector<Uuid> ids;
  for (std::size_t i = std::min(order.count, kLargestBatch); i > 0; --i) ids.push_back(Uuid::random());
  store.plan(token.info().serial, ids, deadline_in(kWriteTime));
  Making making(token, order, std::move(ids), stop);
  {
    const unsigned parallel = std::max(1U, order.parallel);
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < parallel; ++i) threads.emplace_back([&making] { making.run(); });
    while (!making.wait_for_end(parallel, kBetweenIdleCalls)) idle();
  }
  std::vector<store::PoolKeyRecord> records;
  for (const hsm::GeneratedKey& key : making.keys) {
    records.push_back({key.key()->id(), order.key_class, crypto::public_key_pem(key.key()->public_key()),
                       key_record(key.attributes(), token.info()), now});
  }
  // Those of which nothing has come for certain. Of one that failed nobody knows: its plan stays on record.
  if (const std::vector<Uuid> unused = making.unused(); !unused.empty()) {
    store.end_plans(unused, nullptr, deadline_in(kWriteTime));
  }
  if (records.empty()) return std::move(making.batch);
  try {
    store.add(records, order.hold, filled_event(order, making.keys), deadline_in(kWriteTime));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::object_not_present) throw;  // and the keys are destroyed
    // Their plans are another process's by now, and so are they.
    for (hsm::GeneratedKey& key : making.keys) key.keep();
    making.batch.failure = error;
    return std::move(making.batch);
  }
  for (std::size_t i = 0; i < records.size(); ++i) {
    making.keys[i].keep();
    making.batch.keys.push_back({std::move(records[i]), making.keys[i].key()});
  }
  return std::move(making.batch);
}

}  // namespace hsmsigner::service
