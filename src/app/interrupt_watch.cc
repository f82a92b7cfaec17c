#include "app/interrupt_watch.h"

#include <signal.h>

#include <cstdlib>
#include <ctime>

#include "app/ending_signals.h"
#include "base/error.h"

namespace hsmsigner::app {
namespace {

constexpr timespec kTick{0, 50'000'000};

}  // namespace

InterruptWatch::InterruptWatch() {
  const sigset_t signals = ending_signals();
  if (::pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0) {
    throw Error(ErrorKind::internal_error, {"the signals that end the command cannot be set up"});
  }
  thread_ = std::thread([this] { watch(); });
}

InterruptWatch::~InterruptWatch() {
  finished_ = true;
  thread_.join();
}

void InterruptWatch::watch() {
  const sigset_t signals = ending_signals();
  while (!finished_) {
    const int number = ::sigtimedwait(&signals, nullptr, &kTick);
    if (number <= 0) continue;
    if (signal_ != 0) std::_Exit(128 + number);
    signal_ = number;
    stop_.request_stop();
  }
}

}  // namespace hsmsigner::app
