// Tells of each loss of the token once, and of its return once, in this order, whoever notices.
#pragma once

#include <p11-kit/pkcs11.h>

#include <atomic>
#include <functional>

#include "hsm/incident.h"

namespace hsmsigner::hsm {

// Thread safe; waits for nothing. Call these with no lock held.
class Incidents {
 public:
  explicit Incidents(std::function<void(const TokenIncident&)> tell) : tell_(std::move(tell)) {}
  Incidents(const Incidents&) = delete;
  Incidents& operator=(const Incidents&) = delete;

  // A call answered `rv`, of CkClass::session_lost.
  void lost(CK_RV rv) noexcept;
  // A call was answered as it should be.
  void answered() noexcept;
  void key_destroyed(const Uuid& key) noexcept;

  // After a loss, until a call is answered. Asks nobody.
  bool is_lost() const noexcept;

 private:
  // The two in the middle keep a second thread from telling the opposite before the first one has told.
  enum class State { well, telling_loss, lost, telling_return };

  void tell(const TokenIncident& incident) noexcept;

  const std::function<void(const TokenIncident&)> tell_;
  std::atomic<State> state_ = State::well;
};

}  // namespace hsmsigner::hsm
