// Requests that are sent again under the same Idempotency-Key: answered once more, not done once more.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/secret.h"
#include "store/answer_store.h"

namespace hsmsigner::service {

// How long an answer is kept.
inline constexpr std::chrono::hours kAnswerLifetime{24};

// Thread safe.
class RepeatedRequests {
 public:
  // `answers` outlives this object.
  RepeatedRequests(store::AnswerStore& answers, Clock clock) : answers_(answers), clock_(std::move(clock)) {}

  // A request's time under its key: while one has it, the same key waits.
  class Turn {
   public:
    Turn(Turn&& other) noexcept;
    Turn& operator=(Turn&&) = delete;
    ~Turn();

    // What was answered before; then there is nothing to do but to answer it again.
    const std::optional<Secret>& earlier() const noexcept { return earlier_; }
    // The row that keeps this answer; to be written with what it tells of.
    store::AnswerRecord keep(std::string_view answer) const;

   private:
    friend class RepeatedRequests;
    Turn(RepeatedRequests& owner, std::string client_id, std::string key, std::string request_hash);

    RepeatedRequests* owner_;
    std::string client_id_;
    std::string key_;
    std::string key_digest_;
    std::string request_hash_;
    std::optional<Secret> earlier_;
  };

  // `request` is everything that makes two requests the same: method, path, query, body. Waits while the first is still
  // under way. Throws Error: object_not_unique when the key was used with another request, session_timeout at the
  // deadline.
  Turn begin(const std::string& client_id, const std::string& key, std::string_view request, Deadline deadline);

 private:
  using Entry = std::pair<std::string, std::string>;
  void end(const Entry& entry);
  void forget_old();

  store::AnswerStore& answers_;
  Clock clock_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::set<Entry> under_way_;             // guarded by mutex_: client id and digest of the key
  Deadline forget_at_ = Deadline::min();  // guarded by mutex_
};

}  // namespace hsmsigner::service
