#include "service/failure_journal.h"

#include <algorithm>

namespace hsmsigner::service {
namespace {

constexpr std::size_t kMostAddresses = 256;

}  // namespace

void FailureJournal::note(const audit::Event& failure, Deadline deadline) {
  std::optional<audit::Event> summary;
  std::size_t counted = 0;
  bool write = false;
  {
    const Instant now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (over(now)) {
      counted = counted_;
      summary = close_window(now);
    }
    const std::string& address = failure.origin.address;
    std::size_t& of_address = written_[address];
    write = of_address < limits_.of_address && written_in_all_ < limits_.of_all;
    if (write) {
      ++of_address;
      ++written_in_all_;
    } else {
      if (of_address == 0) written_.erase(address);
      ++counted_;
      if (counted_of_.size() < kMostAddresses || counted_of_.contains(address)) ++counted_of_[address];
    }
  }
  if (summary) tell(*summary, counted, deadline);
  if (write) journal_.append(failure, deadline);
}

std::optional<audit::Event> FailureJournal::close_window(Instant now) {
  std::optional<audit::Event> summary;
  if (counted_ > 0) {
    const auto most = std::max_element(counted_of_.begin(), counted_of_.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    const bool named = most != counted_of_.end();
    summary = audit::Event{.kind = audit::EventKind::failures_summarized, .outcome = audit::Outcome::refused};
    if (named) summary->origin.address = most->first;
    summary->details = {
        {"count", std::to_string(counted_)},
        {"count_of_address", std::to_string(named ? most->second : 0)},
        {"addresses", std::to_string(counted_of_.size()) + (counted_of_.size() < kMostAddresses ? "" : " or more")},
        {"window_seconds", std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - begun_).count())}};
  }
  begun_ = now;
  written_.clear();
  written_in_all_ = 0;
  counted_ = 0;
  counted_of_.clear();
  return summary;
}

void FailureJournal::tell_counted(Deadline deadline, bool even_if_open) {
  std::optional<audit::Event> summary;
  std::size_t counted = 0;
  {
    const Instant now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    counted = counted_;
    if (even_if_open || over(now)) summary = close_window(now);
  }
  if (summary) tell(*summary, counted, deadline);
}

void FailureJournal::tell(const audit::Event& summary, std::size_t count, Deadline deadline) {
  try {
    journal_.append(summary, deadline);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    counted_ += count;  // of whom is lost with the event
    throw;
  }
}

}  // namespace hsmsigner::service
