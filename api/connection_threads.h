// One thread per connection, made on demand: an idle kept-alive client costs a sleeping thread and starves nobody.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hsmsigner::api {

class ConnectionThreads : public httplib::TaskQueue {
  // void in older versions of cpp-httplib, bool in newer ones.
  using Accepted = decltype(std::declval<httplib::TaskQueue&>().enqueue(std::function<void()>()));

 public:
  // What makes threads free: `end_oldest_idle` is called when a connection has to wait for one, `end_idle` when all
  // are to end.
  ConnectionThreads(std::size_t most_threads, std::size_t most_waiting, std::function<void()> end_oldest_idle,
                    std::function<void()> end_idle)
      : most_threads_(most_threads),
        most_waiting_(most_waiting),
        end_oldest_idle_(std::move(end_oldest_idle)),
        end_idle_(std::move(end_idle)) {}

  // Whether a connection should be closed after its answer: others wait for its thread, or all are to end.
  bool wanted_back();

  // Set while a connection is handed over that is to be closed because there are too many.
  static bool refusing() noexcept;

  Accepted enqueue(std::function<void()> serve_connection) override;
  // Returns once every connection is served.
  void shutdown() override;

 private:
  void work();

  const std::size_t most_threads_;
  const std::size_t most_waiting_;
  const std::function<void()> end_oldest_idle_;
  const std::function<void()> end_idle_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::size_t sleeping_ = 0;
  bool starved_ = false;  // the last one that had to wait got no thread of its own
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hsmsigner::api
