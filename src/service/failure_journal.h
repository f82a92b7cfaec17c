// Failed authentications and refusals as events. A stranger who fails without end must not fill the disk: of one
// address a few events a minute are written, and of all together some more; the rest is counted, and told by one event
// when the minute is over.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "audit/event.h"
#include "base/clock.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

struct FailureLimits {
  std::chrono::milliseconds window{60'000};
  std::size_t of_address = 20;  // events written in a window
  std::size_t of_all = 200;
};

// Thread safe.
class FailureJournal {
 public:
  // `journal` outlives this object.
  explicit FailureJournal(store::JournalStore& journal, FailureLimits limits = {});
  // As finish().
  ~FailureJournal();
  FailureJournal(const FailureJournal&) = delete;
  FailureJournal& operator=(const FailureJournal&) = delete;

  // Of a stranger: writes it, or counts it. Throws Error{journal_unavailable}.
  void note(const audit::Event& failure, Deadline deadline);
  // Tells what is counted, at the end, when nobody notes any more; what cannot be told is logged.
  void finish();
  // Of a caller who is known, so that all of it is written. Throws likewise.
  void append(const audit::Event& refusal, Deadline deadline) { journal_.append(refusal, deadline); }

 private:
  using Instant = std::chrono::steady_clock::time_point;

  // What was written and counted since it began.
  struct Window {
    Instant begun;
    std::size_t written = 0;
    std::map<std::string, std::size_t> written_of;  // by address; at most FailureLimits::of_all
    std::size_t counted = 0;
    std::map<std::string, std::size_t> counted_of;  // by address; at most kMostAddresses
  };
  static constexpr std::size_t kMostAddresses = 256;

  bool over(Instant now) const { return now - window_.begun >= limits_.window; }
  bool may_write(const std::string& address);
  static audit::Event summary_of(const Window& window, Instant now);
  // Tells of a window that was replaced by a new one; what cannot be told is counted again.
  void tell(const Window& window);
  void run();

  store::JournalStore& journal_;
  const FailureLimits limits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Window window_;       // guarded by mutex_
  bool end_ = false;    // guarded by mutex_
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace hsmsigner::service
