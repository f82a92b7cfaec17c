#include "store/group_writer.h"

#include <algorithm>

#include "store/database.h"

namespace hsmsigner::store {
namespace {

Error not_free() {
  return Error(ErrorKind::journal_unavailable, {"The database was not free in time; nothing was written."});
}

}  // namespace

GroupWriter::GroupWriter(soci::session& session, GroupWriterLimits limits)
    : session_(session),
      limits_(limits),
      // IMMEDIATE takes the write lock at once; a deferred transaction could fail to get it half-way.
      begin_(session.prepare << "BEGIN IMMEDIATE"),
      commit_(session.prepare << "COMMIT"),
      savepoint_(session.prepare << "SAVEPOINT operation"),
      undo_savepoint_(session.prepare << "ROLLBACK TO operation"),
      release_savepoint_(session.prepare << "RELEASE operation"),
      thread_([this] { write_until_stopped(); }) {}

GroupWriter::~GroupWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

void GroupWriter::run(const Operation& operation, Deadline deadline) {
  if (std::chrono::steady_clock::now() >= deadline) {
    throw Error(ErrorKind::session_timeout, {"The time for this request is over; nothing was written."});
  }
  const auto request = std::make_shared<Request>(operation, deadline);
  std::unique_lock lock(mutex_);
  if (stopping_) throw Error(ErrorKind::internal_error).with_cause("the writer is stopping");
  if (queue_.size() >= limits_.queue) {
    throw Error(ErrorKind::too_many_requests, {"Too many writes are waiting."});
  }
  queue_.push_back(request);
  arrived_.notify_one();
  request->finished.wait_until(lock, deadline, [&] { return request->state == State::finished; });
  if (request->state == State::queued) {
    queue_.erase(std::find(queue_.begin(), queue_.end(), request));
    throw not_free();
  }
  // Bounded by SQLite's busy timeout.
  request->finished.wait(lock, [&] { return request->state == State::finished; });
  if (request->error) throw *request->error;
}

std::size_t GroupWriter::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void GroupWriter::write_until_stopped() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
    }
    write_batch();
  }
}

void GroupWriter::write_batch() {
  Batch batch;
  std::optional<Error> failure;
  try {
    // The batch is taken only once the lock is held: who waits for another process's lock can still give up.
    execute(begin_);
    batch = take_batch();
    std::uint64_t written = 0;
    for (const auto& request : batch) written += perform(*request) ? 1U : 0U;
    if (written > 0) {
      execute(commit_);
      ++commits_;
      writes_ += written;
    } else {
      roll_back();
    }
  } catch (...) {
    failure = current_error("writing a batch");
    roll_back();
    if (batch.empty()) batch = take_batch();
    // Also those that had an answer of their own: it may have rested on one that is undone now.
    for (const auto& request : batch) request->error = failure;
  }
  finish(batch);
}

// Those past their deadline are answered here and not returned.
GroupWriter::Batch GroupWriter::take_batch() {
  Batch batch;
  batch.reserve(limits_.batch);
  const Deadline now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  while (!queue_.empty() && batch.size() < limits_.batch) {
    std::shared_ptr<Request> request = std::move(queue_.front());
    queue_.pop_front();
    if (request->deadline <= now) {
      request->error = not_free();
      request->state = State::finished;
      request->finished.notify_one();
    } else {
      request->state = State::started;
      batch.push_back(std::move(request));
    }
  }
  return batch;
}

// False, and the reason in the request, when the operation failed alone; throws when the transaction is lost.
bool GroupWriter::perform(Request& request) {
  execute(savepoint_);
  try {
    request.operation();
  } catch (...) {
    request.error = current_error("writing a record");
    execute(undo_savepoint_);  // throws when SQLite has rolled the whole transaction back (disk full, I/O error)
    execute(release_savepoint_);
    return false;
  }
  execute(release_savepoint_);
  return true;
}

void GroupWriter::finish(const Batch& batch) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& request : batch) request->state = State::finished;
  }
  for (const auto& request : batch) request->finished.notify_one();
}

void GroupWriter::roll_back() noexcept {
  try {
    session_ << "ROLLBACK";
  } catch (...) {
    // No transaction is open: that is what was wanted.
  }
}

}  // namespace hsmsigner::store
