// Makes checkpoints in the background while the server runs, and one when it stops.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "service/checkpoints.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

// Whichever comes first.
struct CheckpointRhythm {
  std::uint64_t events = 1000;         // so many that no checkpoint covers
  std::chrono::seconds interval{300};  // the first of them has waited so long
};

// How soon to look at the journal, and how long to wait after failures: twice as long after each, up to the longest.
struct CheckpointPace {
  std::chrono::milliseconds look{1000};
  std::chrono::milliseconds first_wait{1000};
  std::chrono::milliseconds longest_wait{60'000};
  std::chrono::milliseconds one_try{10'000};  // for the token and the store
};

// A thread of its own, which asks the journal for its head: those who write events wait for nothing here. What fails
// is logged as a warning and tried again, for as long as it takes.
class Checkpointer {
 public:
  // All of them outlive this object. `before_look`, if any, is called on the thread before each look, to put into the
  // journal what gathered elsewhere; what it throws is logged.
  Checkpointer(Checkpoints& checkpoints, store::JournalStore& journal, CheckpointRhythm rhythm,
               std::function<void()> before_look = {}, CheckpointPace pace = {});
  // Makes no last one: that is finish(). Waits for a try under way, which ends by its deadline.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // Ends the thread and covers what is left. True when every event is covered; a failure is logged, and the next start
  // covers what is left then. Call it once, when nothing writes events any more.
  bool finish(Deadline deadline);

 private:
  void run();
  void end_thread();
  // One look; returns how long to wait for the next.
  std::chrono::milliseconds look();
  bool is_due();
  void note(const store::CheckpointRecord& made);
  // True when it waited all of it, false when the thread is to end.
  bool wait(std::chrono::milliseconds time);

  Checkpoints& checkpoints_;
  store::JournalStore& journal_;
  const CheckpointRhythm rhythm_;
  const std::function<void()> before_look_;
  const CheckpointPace pace_;

  // The thread's own.
  std::uint64_t covered_ = 0;
  std::optional<std::chrono::steady_clock::time_point> uncovered_since_;
  unsigned failures_ = 0;  // in a row

  std::mutex mutex_;
  std::condition_variable ending_;
  bool end_ = false;    // guarded by mutex_
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace hsmsigner::service
