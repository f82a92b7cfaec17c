#include "service/incident_journal.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "service/retry_wait.h"

namespace hsmsigner::service {
namespace {

audit::Event event_of(const hsm::TokenIncident& incident, const std::string& serial) {
  audit::Event event{audit::EventKind::token_back, {}, {}, {}, {}, {}};
  event.object = serial;
  switch (incident.kind) {
    case hsm::TokenIncident::Kind::back: break;
    case hsm::TokenIncident::Kind::lost:
      event.kind = audit::EventKind::token_lost;
      event.outcome = audit::Outcome::failed;
      event.details = {{"code", incident.code}};
      break;
    case hsm::TokenIncident::Kind::key_destroyed:
      event.kind = audit::EventKind::key_destroyed;
      event.object = incident.key ? incident.key->to_string() : "";
      event.details = {{"token", serial}};
      break;
  }
  return event;
}

}  // namespace

IncidentJournal::IncidentJournal(store::JournalStore& journal, IncidentLimits limits)
    : journal_(journal), limits_(limits), thread_([this] { run(); }) {}

IncidentJournal::~IncidentJournal() { finish(deadline_in(limits_.one_try)); }

void IncidentJournal::set_token(const std::string& serial, std::size_t which) {
  const std::lock_guard lock(mutex_);
  serials_[which] = serial;
}

void IncidentJournal::tell(const hsm::TokenIncident& incident, std::size_t which) noexcept {
  try {
    std::string serial;
    {
      const std::lock_guard lock(mutex_);
      serial = serials_[which];
    }
    tell(event_of(incident, serial));
  } catch (const std::exception&) {
    const std::lock_guard lock(mutex_);
    ++left_out_;  // no memory
  }
}

void IncidentJournal::tell(audit::Event event) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (closing_ || waiting_.size() >= limits_.waiting) {
      ++left_out_;
      return;
    }
    event.details.emplace_back("observed_at", date_time(system_now_millis()));
    waiting_.push_back(std::move(event));
  } catch (const std::exception&) {
    // No memory. What cannot be kept is counted.
    const std::lock_guard lock(mutex_);
    ++left_out_;
    return;
  }
  changed_.notify_one();
}

bool IncidentJournal::finish(Deadline deadline) {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    end_by_ = deadline;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  const std::uint64_t lost = waiting_.size() + left_out_;
  if (lost != 0) log::error("incidents of the token not in the journal", {{"number", static_cast<std::int64_t>(lost)}});
  waiting_.clear();
  left_out_ = 0;
  return lost == 0;
}

void IncidentJournal::run() {
  unsigned failures = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !waiting_.empty() || end_by_; });
    if (waiting_.empty()) return;
    const Deadline now = std::chrono::steady_clock::now();
    if (end_by_ && now >= *end_by_) return;
    const Deadline deadline = end_by_ ? std::min(*end_by_, now + limits_.one_try) : now + limits_.one_try;
    audit::Event event = waiting_.front();
    const std::uint64_t told = left_out_;
    lock.unlock();
    if (told != 0) event.details.emplace_back("left_out", std::to_string(told));
    const bool written = write(event, deadline, failures + 1);
    lock.lock();
    if (written) {
      failures = 0;
      waiting_.pop_front();
      left_out_ -= told;
    } else {
      const Deadline next =
          std::chrono::steady_clock::now() + retry_wait(limits_.first_wait, limits_.longest_wait, ++failures);
      if (end_by_) {
        changed_.wait_until(lock, std::min(next, *end_by_), [] { return false; });
      } else {
        changed_.wait_until(lock, next, [this] { return end_by_.has_value(); });
      }
    }
  }
}

bool IncidentJournal::write(const audit::Event& event, Deadline deadline, unsigned failures) {
  try {
    journal_.append(event, deadline);
    return true;
  } catch (const std::exception& error) {
    log::warning("incident of the token not yet in the journal", {{"kind", audit::info(event.kind).name},
                                                                  {"object", event.object},
                                                                  {"failures", failures},
                                                                  {"reason", error.what()}});
    return false;
  }
}

}  // namespace hsmsigner::service
