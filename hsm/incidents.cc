#include "hsm/incidents.h"

#include <exception>

#include "base/log.h"
#include "hsm/ck_result.h"

namespace hsmsigner::hsm {

void Incidents::lost(CK_RV rv) noexcept {
  State expected = State::well;
  if (!state_.compare_exchange_strong(expected, State::telling_loss)) return;
  tell({TokenIncident::Kind::lost, ck_name(rv), {}});
  state_ = State::lost;
}

void Incidents::answered() noexcept {
  if (state_.load(std::memory_order_relaxed) != State::lost) return;  // the hot path
  State expected = State::lost;
  if (!state_.compare_exchange_strong(expected, State::telling_return)) return;
  tell({TokenIncident::Kind::back, "", {}});
  state_ = State::well;
}

bool Incidents::is_lost() const noexcept {
  const State state = state_.load(std::memory_order_relaxed);
  return state == State::lost || state == State::telling_loss;
}

void Incidents::key_destroyed(const Uuid& key) noexcept { tell({TokenIncident::Kind::key_destroyed, "", key}); }

void Incidents::tell(const TokenIncident& incident) noexcept {
  if (!tell_) return;
  try {
    tell_(incident);
  } catch (const std::exception& error) {
    log::error("an incident of the token could not be told", {{"cause", error.what()}});
  }
}

}  // namespace hsmsigner::hsm
