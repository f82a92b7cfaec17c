// SIGINT and SIGTERM: a drain that has an end.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

namespace hsmsigner::app {

// Waits for SIGINT and SIGTERM in a thread of its own. Make it before any other thread starts, as it blocks both in
// the calling thread, whose mask every later thread inherits (SIGHUP is ignored), and destroy it last, as the end of
// the process has its deadline here.
//
// A first signal before serving(): the process exits 0 at once, there is nothing to drain. During it: `stop` is called
// once. A second signal, or the drain taking longer than it may: the process exits 1 at once, without destructors,
// which might wait for a token that does not answer.
class ShutdownWatch {
 public:
  ShutdownWatch();
  ~ShutdownWatch();
  ShutdownWatch(const ShutdownWatch&) = delete;
  ShutdownWatch& operator=(const ShutdownWatch&) = delete;

  // From here on a signal calls `stop`, in the watch's thread; what follows may take `drain`.
  void serving(std::function<void()> stop, std::chrono::milliseconds drain);
  // What `stop` refers to may be destroyed after this returns.
  void served();
  // A signal came.
  bool requested() const noexcept { return requested_; }

 private:
  enum class Phase { starting, serving, ending };

  void watch();
  // Returns how long the drain may take.
  std::chrono::milliseconds on_first_signal(int number);

  std::mutex mutex_;
  Phase phase_ = Phase::starting;       // guarded by mutex_
  std::function<void()> stop_;          // guarded by mutex_
  std::chrono::milliseconds drain_{0};  // guarded by mutex_; set with stop_
  std::atomic<bool> requested_{false};
  std::atomic<bool> finished_{false};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace hsmsigner::app
