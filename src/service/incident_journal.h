// What befalls the token, told to the journal without holding up the token's threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "audit/event.h"
#include "base/clock.h"
#include "hsm/incident.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

struct IncidentLimits {
  std::size_t waiting = 1000;                      // events not yet written
  std::chrono::milliseconds one_try{10'000};       // for the store
  std::chrono::milliseconds first_wait{500};       // after a failure; then twice as long after each
  std::chrono::milliseconds longest_wait{30'000};  // and no longer than that
};

// A bounded queue and a thread that writes it, in order. As an event is written later than it happened, its detail
// `observed_at` says when that was (RFC 3339). An event that the store does not take is tried again until it
// does. What comes while the queue is full is counted, and the next event that is written says so in its detail
// `left_out`.
class IncidentJournal {
 public:
  // `journal` outlives this object.
  explicit IncidentJournal(store::JournalStore& journal, IncidentLimits limits = {});
  // As finish(), with the time of one try.
  ~IncidentJournal();
  IncidentJournal(const IncidentJournal&) = delete;
  IncidentJournal& operator=(const IncidentJournal&) = delete;

  // The serial number of one of the tokens, once it is known: `object` of token_lost and token_back, and a detail of
  // key_destroyed. `which`: whatever number the caller counts it by.
  void set_token(const std::string& serial, std::size_t which = 0);

  // For TokenOptions::on_incident. The events token_lost, with the detail `code`, token_back, and key_destroyed.
  void tell(const hsm::TokenIncident& incident, std::size_t which = 0) noexcept;
  // Never waits, never throws: may be called on any thread, with any lock held. From the beginning of finish() on it is
  // only counted.
  void tell(audit::Event event) noexcept;

  // Writes what waits, until the deadline. True when nothing was lost. Call it once, at the end.
  bool finish(Deadline deadline);

 private:
  void run();
  bool write(const audit::Event& event, Deadline deadline, unsigned failures);

  store::JournalStore& journal_;
  const IncidentLimits limits_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<audit::Event> waiting_;  // guarded by mutex_, as all below
  std::map<std::size_t, std::string> serials_;
  std::uint64_t left_out_ = 0;      // since the last event that was written
  bool closing_ = false;            // nothing is taken any more
  std::optional<Deadline> end_by_;  // the thread ends when nothing waits, or then
  std::thread thread_;              // last: it uses all of the above
};

}  // namespace hsmsigner::service
