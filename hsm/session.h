// A session of one worker thread, as the work done in it sees it.
#pragma once

#include <p11-kit/pkcs11.h>

#include <cstdint>

namespace hsmsigner::hsm {

class Session {
 public:
  CK_FUNCTION_LIST& ck() const noexcept { return *functions_; }
  CK_SESSION_HANDLE handle() const noexcept { return handle_; }
  // Object handles are good as long as this number is the same: it changes when the token was lost.
  std::uint64_t epoch() const noexcept { return epoch_; }
  // Close it after this work: an operation may still be active in it.
  void poison() noexcept { poisoned_ = true; }

 private:
  friend class SessionPool;
  CK_FUNCTION_LIST* functions_ = nullptr;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
  std::uint64_t epoch_ = 0;
  std::uint64_t incarnation_ = 0;  // of the module: after a reload this handle's number may be another session's
  bool poisoned_ = false;
};

}  // namespace hsmsigner::hsm
