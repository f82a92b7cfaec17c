#include "service/checkpointer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "service/retry_wait.h"

namespace hsmsigner::service {

Checkpointer::Checkpointer(Checkpoints& checkpoints, store::JournalStore& journal, CheckpointRhythm rhythm,
                           std::function<void()> before_look, CheckpointPace pace)
    : checkpoints_(checkpoints),
      journal_(journal),
      rhythm_(rhythm),
      before_look_(std::move(before_look)),
      pace_(pace),
      thread_([this] { run(); }) {}

Checkpointer::~Checkpointer() { end_thread(); }

void Checkpointer::end_thread() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ending_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Checkpointer::finish(Deadline deadline) {
  end_thread();
  try {
    while (const auto made = checkpoints_.make(deadline)) note(*made);
    return true;
  } catch (const std::exception& error) {
    log::warning("last checkpoint not made", {{"reason", error.what()}});
    return false;
  }
}

void Checkpointer::run() {
  while (wait(look())) {
  }
}

std::chrono::milliseconds Checkpointer::look() {
  try {
    if (before_look_) before_look_();
  } catch (const std::exception& error) {
    log::warning("journal not told what gathered", {{"reason", error.what()}});
  }
  try {
    if (is_due()) {
      // A journal that is far ahead takes several; each is made at a look of its own, so that an end is heeded.
      if (const auto made = checkpoints_.make(deadline_in(pace_.one_try))) note(*made);
      uncovered_since_.reset();
    }
    failures_ = 0;
    return pace_.look;
  } catch (const std::exception& error) {
    const std::chrono::milliseconds next = retry_wait(pace_.first_wait, pace_.longest_wait, ++failures_);
    log::warning(
        "checkpoint not made",
        {{"reason", error.what()}, {"failures", failures_}, {"next_try_ms", static_cast<std::int64_t>(next.count())}});
    return next;
  }
}

bool Checkpointer::is_due() {
  const std::uint64_t head = journal_.head().sequence;
  if (head == covered_) return false;
  if (head < covered_) return true;  // cut off: Checkpoints says so
  // Another process may have covered them, or this one before it was started again.
  covered_ = std::max(covered_, checkpoints_.covered(deadline_in(pace_.one_try)));
  if (head <= covered_) {
    uncovered_since_.reset();
    return false;
  }
  const auto now = std::chrono::steady_clock::now();
  if (!uncovered_since_) uncovered_since_ = now;
  return head - covered_ >= rhythm_.events || now - *uncovered_since_ >= rhythm_.interval;
}

void Checkpointer::note(const store::CheckpointRecord& made) {
  covered_ = made.sequence;
  log::info("checkpoint made", {{"number", static_cast<std::int64_t>(made.number)},
                                {"sequence", static_cast<std::int64_t>(made.sequence)}});
}

bool Checkpointer::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !ending_.wait_for(lock, time, [this] { return end_; });
}

}  // namespace hsmsigner::service
