#include "hsm/object_gate.h"

#include "base/error.h"

namespace hsmsigner::hsm {
namespace {

[[noreturn]] void too_late() {
  throw Error(ErrorKind::session_timeout, {"the token was not free in time"})
      .with_cause("searches and the making of objects are kept apart for this module");
}

}  // namespace

ObjectGate::Making::Making(ObjectGate& gate, Deadline deadline) : gate_(gate) {
  if (!gate_.needed_) return;
  std::unique_lock lock(gate_.mutex_);
  const auto free = [&] { return !gate_.searching_ && gate_.will_search_ == 0; };
  if (!gate_.changed_.wait_until(lock, deadline, free)) too_late();
  ++gate_.making_;
}

ObjectGate::Making::~Making() {
  if (!gate_.needed_) return;
  {
    const std::lock_guard lock(gate_.mutex_);
    --gate_.making_;
  }
  gate_.changed_.notify_all();
}

ObjectGate::Searching::Searching(ObjectGate& gate, Deadline deadline) : gate_(gate) {
  if (!gate_.needed_) return;
  std::unique_lock lock(gate_.mutex_);
  ++gate_.will_search_;
  const bool free = gate_.changed_.wait_until(lock, deadline, [&] { return !gate_.searching_ && gate_.making_ == 0; });
  --gate_.will_search_;
  if (!free) {
    lock.unlock();
    gate_.changed_.notify_all();
    too_late();
  }
  gate_.searching_ = true;
}

ObjectGate::Searching::~Searching() {
  if (!gate_.needed_) return;
  {
    const std::lock_guard lock(gate_.mutex_);
    gate_.searching_ = false;
  }
  gate_.changed_.notify_all();
}

}  // namespace hsmsigner::hsm
