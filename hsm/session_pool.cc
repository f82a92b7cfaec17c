#include "hsm/session_pool.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/log.h"
#include "hsm/ck_result.h"

namespace hsmsigner::hsm {
namespace {

constexpr std::chrono::seconds kLastWorkTime{10};  // of a worker, for what is to be undone when the pool ends

using std::chrono::steady_clock;

// CK_TOKEN_INFO's counts: 0 is CK_EFFECTIVELY_INFINITE, all ones is CK_UNAVAILABLE_INFORMATION; openCryptoki says all
// ones but one.
CK_ULONG limit_from(CK_ULONG count) {
  return count == 0 || count > 1'000'000 ? std::numeric_limits<CK_ULONG>::max() : count;
}

bool worth_another_try(CkClass meaning) {
  return meaning == CkClass::session_lost || meaning == CkClass::stale_operation || meaning == CkClass::stale_handle;
}

}  // namespace

SessionPool::SessionPool(Keeper& keeper, Incidents& incidents, unsigned sessions, unsigned parallel_generations,
                         unsigned parallel_ahead, std::size_t queue_limit, std::function<void(Session&)> at_end)
    : keeper_(keeper), incidents_(incidents), queue_limit_(queue_limit), at_end_(std::move(at_end)) {
  const CK_ULONG all = limit_from(keeper_.token_info().ulMaxSessionCount);
  const CK_ULONG writing = limit_from(keeper_.token_info().ulMaxRwSessionCount);
  const CK_ULONG wanted = std::min({CK_ULONG{std::max(1U, sessions)}, writing, all - 1});  // the keeper has one
  std::vector<Session> opened;
  const Module::Use use(keeper_.module());
  try {
    while (opened.size() < wanted) {
      Session session;
      ensure_open(session);
      opened.push_back(session);
    }
  } catch (const CkFailure& failure) {
    if (ck_class(failure.rv()) != CkClass::session_count || opened.empty()) {
      for (Session& session : opened) keeper_.close_session(session.handle_);
      throw to_error(failure);
    }
  }
  if (opened.empty()) throw to_error(CkFailure("C_OpenSession", CKR_SESSION_COUNT));
  if (opened.size() < sessions) {
    log::warning("the token gives fewer sessions than configured",
                 {{"configured", sessions}, {"given", opened.size()}});
  }
  // One is left to sign while the others generate, which takes seconds for a long RSA key.
  const auto most = std::max<std::size_t>(1, opened.size() - 1);
  parallel_generations_ = static_cast<unsigned>(std::clamp<std::size_t>(parallel_generations, 1, most));
  parallel_ahead_ = std::clamp(parallel_ahead, 1U, parallel_generations_);
  for (const Session& session : opened) threads_.emplace_back([this, session] { work(session); });
}

SessionPool::~SessionPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto* queue : {&quick_, &generations_, &ahead_}) {
      for (const std::shared_ptr<Job>& job : *queue) {
        if (job->state != Job::State::waiting) continue;
        job->error = std::make_exception_ptr(Error(ErrorKind::token_unavailable, {"the service is shutting down"}));
        job->state = Job::State::done;
        job->finished.notify_all();
      }
      queue->clear();
    }
    wake_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

void SessionPool::enqueue(const std::shared_ptr<Job>& job) {
  if (stopping_) throw Error(ErrorKind::token_unavailable, {"the service is shutting down"});
  auto& queue = queue_of(job->kind);
  if (job->kind != JobKind::cleanup && queue.size() >= queue_limit_) {
    throw Error(ErrorKind::too_many_requests, {"too many requests wait for the token"}).with_help("Try again later.");
  }
  queue.push_back(job);
  wake_.notify_one();
}

void SessionPool::wait_for(const std::shared_ptr<Job>& job) {
  std::unique_lock lock(mutex_);
  enqueue(job);
  job->finished.wait_until(lock, job->deadline, [&] { return job->state == Job::State::done; });
  if (job->state == Job::State::done) {
    // Taken out: the exception is this thread's alone, whoever ends the job last.
    if (job->error) std::rethrow_exception(std::exchange(job->error, nullptr));
    return;
  }
  const bool begun = job->state == Job::State::running;
  if (!begun) {
    // Out of the queue now, so that a hung token does not pile up what nobody waits for.
    std::erase(queue_of(job->kind), job);
  }
  job->state = begun ? Job::State::abandoned : Job::State::cancelled;
  throw Error(ErrorKind::session_timeout, {"the token did not answer in time"})
      .with_cause(begun ? "the call is still running in the token" : "still waiting for a session");
}

void SessionPool::post(std::function<void(Session&)> work) {
  const auto job = std::make_shared<Job>(JobKind::cleanup, Deadline::max(), std::move(work), [] {});
  job->posted = true;
  const std::lock_guard lock(mutex_);
  enqueue(job);
}

TokenLoad SessionPool::load() const {
  const std::lock_guard lock(mutex_);
  return {threads_.size(),
          {running_ - generating_, quick_.size()},
          {generating_ - generating_ahead_, generations_.size()},
          {generating_ahead_, ahead_.size()}};
}

std::deque<std::shared_ptr<SessionPool::Job>>& SessionPool::queue_of(JobKind kind) {
  switch (kind) {
    case JobKind::generation: return generations_;
    case JobKind::ahead: return ahead_;
    case JobKind::quick:
    case JobKind::cleanup: break;
  }
  return quick_;
}

// Lock held. The queue whose first job a free worker does; null when there is none that may begin.
std::deque<std::shared_ptr<SessionPool::Job>>* SessionPool::next_queue() {
  if (!quick_.empty()) return &quick_;
  if (generating_ >= parallel_generations_) return nullptr;
  if (!generations_.empty()) return &generations_;
  return !ahead_.empty() && generating_ahead_ < parallel_ahead_ ? &ahead_ : nullptr;
}

// Lock held, and there is a next_queue().
std::shared_ptr<SessionPool::Job> SessionPool::take() {
  auto& queue = *next_queue();
  std::shared_ptr<Job> job = std::move(queue.front());
  queue.pop_front();
  job->state = Job::State::running;
  ++running_;
  if (makes(job->kind)) ++generating_;
  if (job->kind == JobKind::ahead) ++generating_ahead_;
  return job;
}

// One that was closed with the job before: now, so that no request waits for it.
void SessionPool::open_ahead(Session& session) {
  if (session.handle_ != CK_INVALID_HANDLE) return;
  const Module::Use use(keeper_.module());
  try {
    keeper_.admit();
    ensure_open(session);
  } catch (const CkFailure& failure) {
    // The next job tries again, and is told.
    log::debug("a session could not be opened ahead", {{"ck", ck_name(failure.rv())}});
  } catch (const Error&) {
    // The token is left alone for the moment; the next job is told so.
  }
}

void SessionPool::work(Session session) {
  std::unique_lock lock(mutex_);
  while (true) {
    // Idle: without a deadline, until there is work.
    wake_.wait(lock, [this] { return stopping_ || next_queue() != nullptr; });
    if (stopping_) break;
    const std::shared_ptr<Job> job = take();
    lock.unlock();
    execute(*job, session);
    lock.lock();
    const bool abandoned = job->state == Job::State::abandoned;
    if (!abandoned) job->state = Job::State::done;
    --running_;
    if (makes(job->kind)) {
      --generating_;
      if (job->kind == JobKind::ahead) --generating_ahead_;
      wake_.notify_one();
    }
    lock.unlock();
    // Without the lock, which the woken one needs.
    if (!abandoned) job->finished.notify_all();
    if (abandoned || job->posted) conclude(*job);
    open_ahead(session);
    lock.lock();
  }
  lock.unlock();
  const Module::Use use(keeper_.module());
  try {
    ensure_open(session);
    session.deadline_ = deadline_in(kLastWorkTime);
    at_end_(session);
  } catch (const CkFailure& failure) {
    session.failed(failure.rv());
  } catch (const std::exception& error) {
    log::error("clean-up failed", {{"cause", error.what()}});
  }
  close(session);
}

// One try. `failure` is what Cryptoki said, any other exception goes up; `begun` whether the work was reached.
void SessionPool::attempt(Job& job, Session& session, std::optional<CkFailure>& failure, bool& begun) {
  keeper_.admit();
  const Module::Use use(keeper_.module());
  try {
    ensure_open(session);
    if (steady_clock::now() >= job.deadline) {  // the caller is gone: nothing is begun for it
      throw Error(ErrorKind::session_timeout, {"the token was not free in time"});
    }
    begun = true;
    session.deadline_ = job.deadline;
    job.work(session);
    keeper_.note_success();
  } catch (const CkFailure& caught) {
    failure = caught;
    const CkClass meaning = ck_class(caught.rv());
    if (meaning == CkClass::session_lost || meaning == CkClass::stale_operation) session.failed(caught.rv());
  } catch (...) {
    if (session.poisoned_) close(session);
    throw;
  }
  if (session.poisoned_) close(session);
}

// Sets job.error when there is no result. Throws nothing.
void SessionPool::execute(Job& job, Session& session) {
  try {
    for (bool again = false;; again = true) {
      std::optional<CkFailure> failure;
      bool begun = false;
      attempt(job, session, failure, begun);
      if (!failure) return incidents_.answered();

      const CkClass meaning = ck_class(failure->rv());
      const bool lost = meaning == CkClass::session_lost;
      const bool harmless = !begun || !makes(job.kind) || changed_nothing(failure->rv());
      const bool retry = !again && harmless && worth_another_try(meaning) && steady_clock::now() < job.deadline;
      if (lost) {
        log::warning("the token lost a session",
                     {{"call", failure->function()}, {"ck", ck_name(failure->rv())}, {"retry", retry}});
        incidents_.lost(failure->rv());
      }
      if (!retry) {
        if (lost) keeper_.note_failure();
        throw to_error(*failure);
      }
      if (!lost) continue;
      try {
        keeper_.recover(session.epoch());
      } catch (const Error&) {
        keeper_.note_failure();
        throw;
      }
    }
  } catch (...) {
    job.error = std::current_exception();
  }
}

// Nobody waits for this job, or nobody any more. Throws nothing.
void SessionPool::conclude(Job& job) {
  try {
    if (!job.error) return job.posted ? void() : job.undo();
    if (job.posted) std::rethrow_exception(job.error);
  } catch (const std::exception& error) {
    log::error("clean-up failed", {{"cause", error.what()}});
  }
}

void SessionPool::ensure_open(Session& session) {
  const Epoch epoch = keeper_.epoch();
  if (session.handle_ != CK_INVALID_HANDLE && session.epoch_ == epoch) return;
  close(session);
  session.epoch_ = epoch;
  session.functions_ = &keeper_.module().functions();
  session.gate_ = &keeper_.gate();
  session.handle_ = keeper_.open_session();
}

void SessionPool::close(Session& session) noexcept {
  if (session.epoch_.incarnation == keeper_.module().incarnation()) keeper_.close_session(session.handle_);
  session.handle_ = CK_INVALID_HANDLE;
  session.poisoned_ = false;
}

}  // namespace hsmsigner::hsm
