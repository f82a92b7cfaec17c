// A session of one worker thread, as the work done in it sees it, and how long what it knows is good.
#pragma once

#include <p11-kit/pkcs11.h>

#include <cstdint>

#include "base/clock.h"
#include "hsm/object_gate.h"

namespace hsmsigner::hsm {

// Sessions and object handles are good as long as this is the same. Both numbers grow; after a reload of the module the
// numbers of its handles begin anew, so an old one may be another object's.
struct Epoch {
  std::uint64_t incarnation = 0;  // of the module
  std::uint64_t login = 0;        // of the keeper's session
  bool operator==(const Epoch&) const = default;
};

class Session {
 public:
  CK_FUNCTION_LIST& ck() const noexcept { return *functions_; }
  CK_SESSION_HANDLE handle() const noexcept { return handle_; }
  const Epoch& epoch() const noexcept { return epoch_; }
  // Held around every call that makes a token object, or that begins a search.
  ObjectGate& gate() const noexcept { return *gate_; }
  // Of the work done in it.
  Deadline deadline() const noexcept { return deadline_; }
  // Close it after this work: an operation may still be active in it.
  void poison() noexcept { poisoned_ = true; }
  // A call in it failed for a reason that lies in the session. Its number may be nobody's now, or already another's,
  // and is then not closed.
  void failed(CK_RV rv) noexcept {
    if (rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED) handle_ = CK_INVALID_HANDLE;
    poisoned_ = true;
  }

 private:
  friend class SessionPool;
  CK_FUNCTION_LIST* functions_ = nullptr;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
  Epoch epoch_;
  ObjectGate* gate_ = nullptr;
  Deadline deadline_;
  bool poisoned_ = false;
};

}  // namespace hsmsigner::hsm
