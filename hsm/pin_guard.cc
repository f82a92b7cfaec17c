#include "hsm/pin_guard.h"

#include <algorithm>
#include <mutex>
#include <vector>

namespace hsmsigner::hsm::pin_guard {
namespace {

struct Refusal {
  std::string token;
  Secret pin;  // a wrong one, which may be a near miss: as secret as a right one
};

std::mutex mutex;
std::vector<Refusal>& refusals() {
  static std::vector<Refusal> all;
  return all;
}

bool contains(const std::string& token, const Secret& pin) {
  return std::ranges::any_of(
      refusals(), [&](const Refusal& refusal) { return refusal.token == token && refusal.pin.view() == pin.view(); });
}

}  // namespace

bool was_refused(const std::string& token, const Secret& pin) {
  const std::lock_guard lock(mutex);
  return contains(token, pin);
}

void note_refused(const std::string& token, const Secret& pin) {
  const std::lock_guard lock(mutex);
  if (!contains(token, pin)) refusals().push_back(Refusal{token, pin.clone()});
}

}  // namespace hsmsigner::hsm::pin_guard
