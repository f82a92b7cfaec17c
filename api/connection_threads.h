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
  // `on_pressure` is called when a connection has to wait for a thread; it should make one free.
  ConnectionThreads(std::size_t most_threads, std::size_t most_waiting, std::function<void()> on_pressure)
      : most_threads_(most_threads), most_waiting_(most_waiting), on_pressure_(std::move(on_pressure)) {}

  // Set while a connection is handed over that is to be closed because there are too many.
  static bool refusing() noexcept;

  Accepted enqueue(std::function<void()> serve_connection) override;
  // Returns once every connection is served.
  void shutdown() override;

 private:
  void work();

  const std::size_t most_threads_;
  const std::size_t most_waiting_;
  const std::function<void()> on_pressure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::size_t sleeping_ = 0;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hsmsigner::api
