// A bounded pool of worker threads, one R/W session each: the only way to a logged-in token.
//
// The caller waits until its deadline and no longer. Work that has not begun by then never begins; work that has
// begun cannot be stopped (Cryptoki has no way to), so it is left behind, and what it made is undone on the worker.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/clock.h"
#include "hsm/ck_result.h"
#include "hsm/incidents.h"
#include "hsm/keeper.h"
#include "hsm/session.h"
#include "hsm/token.h"

namespace hsmsigner::hsm {

enum class JobKind {
  quick,       // sign, read, find, random: may be sent twice; goes before generation
  generation,  // never sent twice once it may have made something
  ahead,       // a generation that nobody waits for: begun only while nothing else waits, and a few at once
  cleanup,     // like quick, and never refused for a full queue
};

// Thread safe.
class SessionPool {
 public:
  // Opens the sessions: `sessions`, or as many as the token gives. Throws Error{token_unavailable} if that is none.
  // `at_end` is run by each worker as its last, after whatever it was left behind with.
  // `parallel_ahead` of `parallel_generations` may be of the kind `ahead`. `keeper` and `incidents` outlive this.
  SessionPool(Keeper& keeper, Incidents& incidents, unsigned sessions, unsigned parallel_generations,
              unsigned parallel_ahead, std::size_t queue_limit, std::function<void(Session&)> at_end);
  // Waiting work is refused, running work is waited for: a call that hangs in the module holds this up.
  ~SessionPool();
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;

  // Runs `work(Session&)` on a worker and gives its result. `work` and `undo(Result&)`, which is called when the result
  // comes after the caller left, may outlive this call: they own what they touch, or it outlives the pool. A CkFailure
  // out of `work` is retried by the rules of the class and kind, else made an Error.
  template <typename Work, typename Undo>
  auto run(JobKind kind, Deadline deadline, Work work, Undo undo) {
    using Result = std::invoke_result_t<Work&, Session&>;
    const auto result = std::make_shared<std::optional<Result>>();
    wait_for(std::make_shared<Job>(
        kind, deadline, [result, work = std::move(work)](Session& session) mutable { *result = work(session); },
        [result, undo = std::move(undo)]() mutable { undo(**result); }));
    return std::move(**result);
  }
  // For work that leaves nothing behind.
  template <typename Work>
  auto run(JobKind kind, Deadline deadline, Work work) {
    return run(kind, deadline, std::move(work), [](auto&) {});
  }

  // Clean-up that nobody waits for; a failure is logged. Throws Error when the pool is stopping.
  void post(std::function<void(Session&)> work);

  std::size_t sessions() const noexcept { return threads_.size(); }
  TokenLoad load() const;

 private:
  struct Job {
    Job(JobKind the_kind, Deadline the_deadline, std::function<void(Session&)> the_work, std::function<void()> the_undo)
        : kind(the_kind), deadline(the_deadline), work(std::move(the_work)), undo(std::move(the_undo)) {}
    enum class State { waiting, running, done, cancelled, abandoned };

    const JobKind kind;
    const Deadline deadline;
    const std::function<void(Session&)> work;
    const std::function<void()> undo;
    bool posted = false;           // nobody waits for it
    State state = State::waiting;  // guarded by the pool's mutex
    std::exception_ptr error;      // written by the worker before `done`
    std::condition_variable finished;
  };

  void wait_for(const std::shared_ptr<Job>& job);
  void enqueue(const std::shared_ptr<Job>& job);
  static bool makes(JobKind kind) { return kind == JobKind::generation || kind == JobKind::ahead; }
  std::deque<std::shared_ptr<Job>>& queue_of(JobKind kind);
  std::deque<std::shared_ptr<Job>>* next_queue();
  std::shared_ptr<Job> take();
  void work(Session session);
  void execute(Job& job, Session& session);
  void attempt(Job& job, Session& session, std::optional<CkFailure>& failure, bool& begun);
  void conclude(Job& job);
  void ensure_open(Session& session);
  void open_ahead(Session& session);
  void close(Session& session) noexcept;

  Keeper& keeper_;
  Incidents& incidents_;
  unsigned parallel_generations_ = 1;
  unsigned parallel_ahead_ = 1;
  const std::size_t queue_limit_;  // of each queue: a crowd that wants keys must not keep one from its signature

  const std::function<void(Session&)> at_end_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> quick_;        // guarded by mutex_
  std::deque<std::shared_ptr<Job>> generations_;  // guarded by mutex_
  std::deque<std::shared_ptr<Job>> ahead_;        // guarded by mutex_
  unsigned running_ = 0;                          // guarded by mutex_
  unsigned generating_ = 0;                       // guarded by mutex_; of both kinds
  unsigned generating_ahead_ = 0;                 // guarded by mutex_
  bool stopping_ = false;                         // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace hsmsigner::hsm
