#include "api/connection_threads.h"

#include <system_error>

namespace hsmsigner::api {
namespace {

thread_local bool is_refusing = false;

}  // namespace

bool ConnectionThreads::refusing() noexcept { return is_refusing; }

ConnectionThreads::Accepted ConnectionThreads::enqueue(std::function<void()> serve_connection) {
  bool refuse = false;
  bool pressure = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= sleeping_ + most_waiting_) {
      refuse = true;
    } else {
      waiting_.push_back(std::move(serve_connection));
      if (waiting_.size() > sleeping_) {
        pressure = threads_.size() >= most_threads_;
        if (!pressure) {
          try {
            threads_.emplace_back([this] { work(); });
          } catch (const std::system_error&) {  // no more threads to be had: as if the most were reached
            pressure = true;
          }
        }
        starved_ = pressure;
      }
      changed_.notify_one();
    }
  }
  if (pressure) end_oldest_idle_();
  if (refuse) {
    is_refusing = true;
    serve_connection();
    is_refusing = false;
  }
  return static_cast<Accepted>(true);
}

void ConnectionThreads::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++sleeping_;
    changed_.wait(lock, [this] { return !waiting_.empty() || ended_; });
    --sleeping_;
    if (waiting_.empty()) return;
    const std::function<void()> serve_connection = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    serve_connection();
    lock.lock();
  }
}

bool ConnectionThreads::wanted_back() {
  const std::lock_guard lock(mutex_);
  return ended_ || (starved_ && waiting_.size() > sleeping_);
}

void ConnectionThreads::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  end_idle_();
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace hsmsigner::api
