// Keeps a token logged in. Login belongs to the token, not to a session (PKCS#11 2.40 section 5.6, C_Login), and ends
// with the last session: so one session, the keeper, logs in and stays open, and no other ever logs in or out.
#pragma once

#include <p11-kit/pkcs11.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include "base/secret.h"
#include "hsm/module.h"
#include "hsm/object_gate.h"
#include "hsm/session.h"

namespace hsmsigner::hsm {

// Thread safe.
class Keeper {
 public:
  // Finds the token and logs in. Throws Error{token_unavailable}.
  Keeper(std::shared_ptr<Module> module, const TokenSelector& selector, Secret pin);
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  Module& module() const noexcept { return *module_; }
  const TokenListing& slot() const noexcept { return first_slot_; }
  // As it was at construction.
  const CK_TOKEN_INFO& token_info() const noexcept { return token_info_; }
  ObjectGate& gate() noexcept { return *gate_; }
  // Another one whenever sessions and object handles of before must be taken for lost.
  Epoch epoch() const noexcept { return {module_->incarnation(), logins_.load(std::memory_order_acquire)}; }

  // A R/W session on the token. Within a Module::Use. Throws CkFailure.
  CK_SESSION_HANDLE open_session();
  // Within a Module::Use. A failure is of no interest: the session is gone either way.
  void close_session(CK_SESSION_HANDLE session) noexcept;

  // Throws Error{token_unavailable} at once while the token is being left alone after repeated failures.
  void admit() const;
  // A call answered CkClass::session_lost in a session of `seen`: sees to it that the same token is found and logged
  // in, once for all who ask. A new epoch begins only if that took a login, since a search for every key is dear. Not
  // within a Module::Use. Throws Error{token_unavailable}.
  void recover(const Epoch& seen);
  void note_success() noexcept;
  void note_failure() noexcept;

 private:
  using Instant = std::chrono::steady_clock::time_point;

  void restore();
  bool alive() const;
  bool well();
  bool reload(std::uint64_t seen);
  void login();
  void refuse_pin(const std::string& token, CK_RV rv);
  void drop_session() noexcept;

  const std::shared_ptr<Module> module_;
  TokenListing first_slot_;  // the token to stay with: another one of the same label is not ours
  CK_TOKEN_INFO token_info_{};
  std::unique_ptr<ObjectGate> gate_;  // made once the token is known

  std::mutex recovery_;  // one recovery at a time; guards pin_, session_, pin_refused_, pin_sent_
  Secret pin_;
  bool pin_refused_ = false;
  bool pin_sent_ = false;  // in the recovery under way
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
  std::uint64_t incarnation_ = 0;  // of the module when session_ was opened: a number says nothing after a reload

  std::atomic<CK_SLOT_ID> slot_id_ = 0;
  std::atomic<std::uint64_t> logins_ = 0;
  std::atomic<unsigned> failures_ = 0;  // in a row, at most one per back-off interval
  std::atomic<Instant::rep> leave_alone_until_ = 0;
};

}  // namespace hsmsigner::hsm
