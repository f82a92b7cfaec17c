#include "service/failure_journal.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace hsmsigner::service {
namespace {

constexpr std::chrono::seconds kOneTry{10};

}  // namespace

FailureJournal::FailureJournal(store::JournalStore& journal, FailureLimits limits)
    : journal_(journal), limits_(limits), thread_([this] { run(); }) {}

FailureJournal::~FailureJournal() { finish(); }

void FailureJournal::finish() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  if (window_.counted > 0) tell(std::exchange(window_, {}));
}

void FailureJournal::note(const audit::Event& failure, Deadline deadline) {
  {
    const std::lock_guard lock(mutex_);
    const Instant now = std::chrono::steady_clock::now();
    // One with something to tell is closed by the thread.
    if (window_.counted == 0 && over(now)) window_ = Window{now, 0, {}, 0, {}};
    if (!may_write(failure.origin.address)) {
      ++window_.counted;
      auto& of = window_.counted_of;
      if (of.size() < kMostAddresses || of.contains(failure.origin.address)) ++of[failure.origin.address];
      changed_.notify_one();
      return;
    }
  }
  journal_.append(failure, deadline);
}

bool FailureJournal::may_write(const std::string& address) {
  if (window_.written >= limits_.of_all) return false;
  std::size_t& of_address = window_.written_of[address];
  if (of_address >= limits_.of_address) return false;
  ++of_address;
  ++window_.written;
  return true;
}

audit::Event FailureJournal::summary_of(const Window& window, Instant now) {
  const auto most = std::max_element(window.counted_of.begin(), window.counted_of.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  const bool all_named = window.counted_of.size() < kMostAddresses;
  audit::Event summary{.kind = audit::EventKind::failures_summarized, .outcome = audit::Outcome::refused};
  summary.details = {
      {"count", std::to_string(window.counted)},
      {"addresses", std::to_string(window.counted_of.size()) + (all_named ? "" : " or more")},
      {"window_seconds", std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - window.begun).count())}};
  if (most != window.counted_of.end()) {
    summary.origin.address = most->first;
    summary.details.emplace_back("count_of_address", std::to_string(most->second));
  }
  return summary;
}

void FailureJournal::tell(const Window& window) {
  try {
    journal_.append(summary_of(window, std::chrono::steady_clock::now()), deadline_in(kOneTry));
  } catch (const Error& error) {
    log::warning("failed authentications could not be told to the journal yet",
                 {{"count", window.counted}, {"cause", error.what()}});
    const std::lock_guard lock(mutex_);
    window_.counted += window.counted;
  }
}

void FailureJournal::run() {
  std::unique_lock lock(mutex_);
  while (!end_) {
    if (window_.counted == 0) {
      changed_.wait(lock, [this] { return end_ || window_.counted > 0; });
    } else if (over(std::chrono::steady_clock::now())) {
      const Window closed = std::exchange(window_, Window{std::chrono::steady_clock::now(), 0, {}, 0, {}});
      lock.unlock();
      tell(closed);
      lock.lock();
    } else {
      changed_.wait_until(lock, window_.begun + limits_.window, [this] { return end_; });
    }
  }
}

}  // namespace hsmsigner::service
