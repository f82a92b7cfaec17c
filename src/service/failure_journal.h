// Failed authentications and refusals as events. A stranger who fails without end must not fill the disk: of one
// address a few events a minute are written, and of all together a few more; the rest is counted, and told by one
// event.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "audit/event.h"
#include "base/clock.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

struct FailureLimits {
  std::chrono::seconds window{60};
  std::size_t of_address = 20;  // events written in a window
  std::size_t of_all = 200;
};

// Thread safe.
class FailureJournal {
 public:
  // `journal` outlives this object.
  explicit FailureJournal(store::JournalStore& journal, FailureLimits limits = {})
      : journal_(journal), limits_(limits) {}

  // Writes it, or counts it. Throws Error{journal_unavailable}.
  void note(const audit::Event& failure, Deadline deadline);
  // Of a caller who is known, so that all of it is written.
  void append(const audit::Event& refusal, Deadline deadline) { journal_.append(refusal, deadline); }
  // Tells what was counted in a window that is over; when `even_if_open`, also in the one that is not. For whoever
  // looks after the journal in the background, and at the end.
  void tell_counted(Deadline deadline, bool even_if_open = false);

 private:
  using Instant = std::chrono::steady_clock::time_point;
  // With mutex_ held. Empties the window; nothing when nothing was counted in it.
  std::optional<audit::Event> close_window(Instant now);
  // What cannot be told is counted again, and thrown.
  void tell(const audit::Event& summary, std::size_t count, Deadline deadline);
  bool over(Instant now) const { return now - begun_ >= limits_.window; }

  store::JournalStore& journal_;
  const FailureLimits limits_;
  std::mutex mutex_;
  Instant begun_;                               // guarded by mutex_, as all below
  std::map<std::string, std::size_t> written_;  // by address; at most of_all entries
  std::size_t written_in_all_ = 0;
  std::size_t counted_ = 0;
  std::map<std::string, std::size_t> counted_of_;  // by address; at most kMostAddresses
};

}  // namespace hsmsigner::service
