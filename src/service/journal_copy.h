// The live copy: every event of the journal, in order, to one sink.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "service/journal_sink.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

struct CopyPace {
  std::chrono::milliseconds look{500};             // for new events, when there were none
  std::chrono::milliseconds first_wait{1000};      // after a failure; then twice as long after each
  std::chrono::milliseconds longest_wait{60'000};  // and no longer than that
  std::chrono::milliseconds one_try{10'000};       // for the sink to take a batch
  std::size_t batch = 200;                         // events
  std::uint64_t lag_to_warn_of = 10'000;           // events; at most once a minute
};

// A thread of its own, which reads what is durable: those who write events wait for nothing here, and what the sink
// does not take stays in the journal until it does. Failures and lag are logged as warnings. A sink that has more than
// the journal, as when that was cut off or the position in the database was changed, is logged as an error and gets the
// events again: from where it says itself, if that can be, else from the first that is here.
class JournalCopy {
 public:
  // `journal` outlives this object.
  JournalCopy(store::JournalStore& journal, std::unique_ptr<JournalSink> sink, CopyPace pace = {});
  // Ends at once, but for a batch under way; the next start goes on from there.
  ~JournalCopy();
  JournalCopy(const JournalCopy&) = delete;
  JournalCopy& operator=(const JournalCopy&) = delete;

  // Copies what the journal holds until now and ends, by the deadline. True when all of it was taken. Call it once.
  bool finish(Deadline deadline);

 private:
  void run();
  // One batch. Returns how long to wait for the next; 0: there is more.
  std::chrono::milliseconds copy();
  bool copy_batch(Deadline deadline);
  // True when it was ahead, and there is something to copy.
  bool begin_again_if_ahead(Deadline deadline);
  void tell_of_lag();
  bool wait(std::chrono::milliseconds time);
  void end_thread();

  store::JournalStore& journal_;
  const std::unique_ptr<JournalSink> sink_;
  const CopyPace pace_;

  // The thread's own.
  std::optional<std::uint64_t> position_;  // nothing: the sink is to be opened
  unsigned failures_ = 0;                  // in a row
  std::optional<std::chrono::steady_clock::time_point> lag_told_;

  std::mutex mutex_;
  std::condition_variable ending_;
  bool end_ = false;    // guarded by mutex_
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace hsmsigner::service
