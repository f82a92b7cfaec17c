// SIGINT and SIGTERM for commands that must not leave things behind.
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace hsmsigner::app {

// Waits for SIGINT and SIGTERM in a thread of its own. Make it before any other thread starts, as it blocks both in
// the calling thread, whose mask every later thread inherits. On a first signal it asks the command to stop; the
// command then clears away what it made, and ends with exit_code(). A second signal ends the process at once.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  std::stop_token stop_token() const noexcept { return stop_.get_token(); }
  bool requested() const noexcept { return signal_ != 0; }
  // 128 + the signal, as a shell tells of a program that it ended: 130, 143. 0: none came.
  int exit_code() const noexcept { return signal_ == 0 ? 0 : 128 + signal_; }

 private:
  void watch();

  std::stop_source stop_;
  std::atomic<int> signal_{0};
  std::atomic<bool> finished_{false};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace hsmsigner::app
