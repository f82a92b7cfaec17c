// Failed authentications and refusals as events. Who fails without end must not fill the disk: of one address, and of
// one account, so many events a minute are written, and of all strangers together some more; the rest is counted, and
// told by one event when the minute is over.
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
  std::size_t of_address = 20;     // of one stranger's address (of IPv6 its /64): events written in a window
  std::size_t of_strangers = 200;  // of all of them together
  std::size_t of_account = 60;     // of what was tried as, or refused to, one account that there is
};

// Thread safe. note() and tell_counted() throw Error{journal_unavailable}.
class FailureJournal {
 public:
  // `journal` outlives this object.
  explicit FailureJournal(store::JournalStore& journal, FailureLimits limits = {})
      : journal_(journal), limits_(limits) {}

  // Whose failure it is: the account of the event's origin, which there is; or a stranger's, whatever it calls itself.
  // Strangers cannot use up what is written of accounts.
  enum class Of { account, stranger };
  // Writes it, or counts it.
  void note(Of of, const audit::Event& failure, Deadline deadline);
  // Tells what was counted in a window that is over; when `even_if_open`, also in the one that is not. For whoever
  // looks after the journal in the background, and at the end.
  void tell_counted(Deadline deadline, bool even_if_open = false);

 private:
  using Instant = std::chrono::steady_clock::time_point;
  // What was written and counted since it began. Sources are "account NAME" and "address PREFIX".
  struct Window {
    Instant begun;
    std::map<std::string, std::size_t> written;
    std::size_t written_of_strangers = 0;
    std::size_t counted = 0;
    std::map<std::string, std::size_t> counted_of;  // at most kMostSources
  };
  static constexpr std::size_t kMostSources = 256;

  bool over(Instant now) const { return now - window_.begun >= limits_.window; }
  bool may_write(Of of, const std::string& source);
  // With mutex_ held: begins a new window and returns the one before.
  Window close_window(Instant now);
  // What cannot be told is counted again, and thrown.
  void tell(const Window& window, Deadline deadline);

  store::JournalStore& journal_;
  const FailureLimits limits_;
  std::mutex mutex_;
  Window window_;  // guarded by mutex_
};

}  // namespace hsmsigner::service
