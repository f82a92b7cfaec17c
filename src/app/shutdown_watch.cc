#include "app/shutdown_watch.h"

#include <signal.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <utility>

#include "app/ending_signals.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

namespace hsmsigner::app {
namespace {

constexpr timespec kTick{0, 50'000'000};

const char* name_of(int number) { return number == SIGINT ? "SIGINT" : "SIGTERM"; }

}  // namespace

ShutdownWatch::ShutdownWatch() {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  const sigset_t signals = ending_signals();
  if (::sigaction(SIGHUP, &ignore, nullptr) != 0 || ::pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0) {
    throw Error(ErrorKind::internal_error, {"the signals that end the server cannot be set up"});
  }
  thread_ = std::thread([this] { watch(); });
}

ShutdownWatch::~ShutdownWatch() {
  finished_ = true;
  thread_.join();
}

void ShutdownWatch::serving(std::function<void()> stop, std::chrono::milliseconds drain) {
  const std::lock_guard lock(mutex_);
  drain_ = drain;
  phase_ = Phase::serving;
  stop_ = std::move(stop);
}

void ShutdownWatch::served() {
  const std::lock_guard lock(mutex_);
  phase_ = Phase::ending;
  stop_ = nullptr;
}

void ShutdownWatch::watch() {
  const sigset_t signals = ending_signals();
  std::optional<Deadline> deadline;
  while (!finished_) {
    const int number = ::sigtimedwait(&signals, nullptr, &kTick);
    if (number > 0 && deadline) {
      log::warning("stopped without draining", {{"signal", name_of(number)}});
      std::_Exit(1);
    }
    if (number > 0) {
      deadline = deadline_in(on_first_signal(number));
    } else if (deadline && std::chrono::steady_clock::now() > *deadline) {
      log::error("draining took too long");
      std::_Exit(1);
    }
  }
}

std::chrono::milliseconds ShutdownWatch::on_first_signal(int number) {
  const std::lock_guard lock(mutex_);
  requested_ = true;
  if (phase_ == Phase::starting) {
    log::info("stopped before it was ready", {{"signal", name_of(number)}});
    std::_Exit(0);
  }
  log::info("server stopping", {{"signal", name_of(number)}});
  if (stop_) stop_();
  return drain_;
}

}  // namespace hsmsigner::app
