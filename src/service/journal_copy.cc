#include "service/journal_copy.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "service/retry_wait.h"

namespace hsmsigner::service {
namespace {

constexpr std::chrono::minutes kBetweenWarnings{1};

std::int64_t shown(std::uint64_t number) { return static_cast<std::int64_t>(number); }

}  // namespace

JournalCopy::JournalCopy(store::JournalStore& journal, std::unique_ptr<JournalSink> sink, CopyPace pace)
    : journal_(journal), sink_(std::move(sink)), pace_(pace), thread_([this] { run(); }) {}

JournalCopy::~JournalCopy() { end_thread(); }

void JournalCopy::end_thread() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ending_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool JournalCopy::finish(Deadline deadline) {
  end_thread();
  try {
    const std::uint64_t head = journal_.head().sequence;
    while (!position_ || *position_ < head || *position_ > journal_.head().sequence) {
      if (std::chrono::steady_clock::now() >= deadline) {
        log::warning("live copy of the journal is behind at the end",
                     {{"sink", sink_->name()}, {"events_behind", shown(head - std::min(head, position_.value_or(0)))}});
        return false;
      }
      if (!copy_batch(std::min(deadline, deadline_in(pace_.one_try)))) break;
    }
    return true;
  } catch (const std::exception& error) {
    log::warning("live copy of the journal is behind at the end", {{"sink", sink_->name()}, {"reason", error.what()}});
    return false;
  }
}

void JournalCopy::run() {
  while (wait(copy())) {
  }
}

std::chrono::milliseconds JournalCopy::copy() {
  try {
    const bool more = copy_batch(deadline_in(pace_.one_try));
    if (failures_ != 0) log::info("live copy of the journal goes on", {{"sink", sink_->name()}});
    failures_ = 0;
    if (!more) return pace_.look;
    tell_of_lag();
    return std::chrono::milliseconds(0);
  } catch (const std::exception& error) {
    const std::optional<std::uint64_t> reached = std::exchange(position_, std::nullopt);
    const std::chrono::milliseconds next = retry_wait(pace_.first_wait, pace_.longest_wait, ++failures_);
    log::warning("live copy of the journal not taken", {{"sink", sink_->name()},
                                                        {"reason", error.what()},
                                                        {"last_event_taken", shown(reached.value_or(0))},
                                                        {"failures", failures_},
                                                        {"next_try_ms", static_cast<std::int64_t>(next.count())}});
    return next;
  }
}

// True when there was anything to copy.
bool JournalCopy::copy_batch(Deadline deadline) {
  if (!position_) position_ = sink_->open(journal_, deadline);
  const std::vector<store::JournalLine> lines = journal_.lines(*position_, pace_.batch);
  if (lines.empty()) return begin_again_if_ahead(deadline);
  if (lines.front().sequence != *position_ + 1) {
    log::warning(
        "events left the journal before they were copied",
        {{"sink", sink_->name()}, {"first", shown(*position_ + 1)}, {"last", shown(lines.front().sequence - 1)}});
  }
  sink_->deliver(journal_, lines, deadline);
  position_ = lines.back().sequence;
  return true;
}

// More was copied than there is: the journal was cut off, or somebody changed the position so that nothing is copied.
bool JournalCopy::begin_again_if_ahead(Deadline deadline) {
  const std::uint64_t head = journal_.head().sequence;
  if (*position_ <= head) return false;
  log::error("live copy of the journal is ahead of the journal, which was cut off, or the position was changed",
             {{"sink", sink_->name()}, {"last_event_taken", shown(*position_)}, {"last_event", shown(head)}});
  // A file tells by itself which event is its last, and is no copy of a journal that does not have it.
  position_.reset();
  const std::uint64_t reached = sink_->open(journal_, deadline);
  position_ = reached <= head ? reached : 0;
  log::error("live copy of the journal begins again", {{"sink", sink_->name()}, {"after_event", shown(*position_)}});
  return head != 0;
}

void JournalCopy::tell_of_lag() {
  const std::uint64_t head = journal_.head().sequence;
  const std::uint64_t behind = head - std::min(head, position_.value_or(0));
  const auto now = std::chrono::steady_clock::now();
  if (behind < pace_.lag_to_warn_of || (lag_told_ && now - *lag_told_ < kBetweenWarnings)) return;
  lag_told_ = now;
  log::warning("live copy of the journal lags", {{"sink", sink_->name()}, {"events_behind", shown(behind)}});
}

bool JournalCopy::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !ending_.wait_for(lock, time, [this] { return end_; });
}

}  // namespace hsmsigner::service
