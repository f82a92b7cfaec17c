// The one writer of a database: commits together what has gathered. Private to the store.
#pragma once

#include <soci/soci.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace hsmsigner::store {

struct GroupWriterLimits {
  std::size_t queue = 1024;  // operations that may wait
  std::size_t batch = 128;   // operations in one transaction
};

class GroupWriter {
 public:
  // Runs on the writer's thread, inside a savepoint of its own: what it throws undoes it and nobody else.
  using Operation = std::function<void()>;

  // From here on `session`, which must outlive this object, is used by the writer's thread alone.
  explicit GroupWriter(soci::session& session, GroupWriterLimits limits = {});
  // Finishes what is queued. No run() may be under way or follow.
  ~GroupWriter();
  GroupWriter(const GroupWriter&) = delete;
  GroupWriter& operator=(const GroupWriter&) = delete;

  // Returns once the operation's effect is durable. Throws what the operation threw; Error{too_many_requests} when the
  // queue is full; Error{session_timeout} when called past the deadline; Error{journal_unavailable} when the deadline
  // passed before the operation was started, and then it never is, or when the database failed; Error{internal_error}
  // when the operation broke a constraint. An operation that has been started is waited for: its outcome
  // is told truly, whatever the deadline.
  void run(const Operation& operation, Deadline deadline);

  std::size_t waiting() const;                                 // queued, not yet started
  std::uint64_t commits() const noexcept { return commits_; }  // transactions committed so far
  std::uint64_t writes() const noexcept { return writes_; }    // operations in them that did not fail

 private:
  enum class State { queued, started, finished };

  // `operation` is its caller's, which run() does not leave while the writer can use it. All but `operation` guarded
  // by mutex_ while queued; the writer's own while started; the caller's again once finished.
  struct Request {
    Request(const Operation& operation_in, Deadline deadline_in) : operation(operation_in), deadline(deadline_in) {}
    const Operation& operation;
    const Deadline deadline;
    State state = State::queued;
    std::optional<Error> error;
    // Of its own, so that a batch wakes those alone that were in it. Shared, so that it can be notified without the lock
    // that the woken one needs.
    std::condition_variable finished;
  };
  using Batch = std::vector<std::shared_ptr<Request>>;

  void write_until_stopped();
  void write_batch();
  Batch take_batch();
  bool perform(Request& request);
  void finish(const Batch& batch);
  void execute(soci::statement& statement) { statement.execute(true); }
  void roll_back() noexcept;

  soci::session& session_;
  const GroupWriterLimits limits_;
  soci::statement begin_;
  soci::statement commit_;
  soci::statement savepoint_;
  soci::statement undo_savepoint_;
  soci::statement release_savepoint_;

  mutable std::mutex mutex_;
  std::condition_variable arrived_;             // something was queued, or stopping_
  std::deque<std::shared_ptr<Request>> queue_;  // guarded by mutex_
  bool stopping_ = false;                       // guarded by mutex_
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> writes_{0};
  std::thread thread_;  // last: starts when everything above exists
};

}  // namespace hsmsigner::store
