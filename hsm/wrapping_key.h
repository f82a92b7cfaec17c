// An AES-256 key of one session, known to both sides: under it a private key goes into the token and out of it, because
// tokens take and give keys wrapped only. Its value goes in by C_CreateObject, so that who sees the calls into the
// module, or an unprotected line from there to the token, sees the private key too.
#pragma once

#include <p11-kit/pkcs11.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "hsm/mechanisms.h"
#include "hsm/session.h"

namespace hsmsigner::hsm {

// CK_MECHANISM with the parameter it points to.
class WrappingParameters {
 public:
  // Draws an initialisation vector where the mechanism takes one. Throws CkFailure.
  WrappingParameters(Session& session, const WrappingMechanism& mechanism);
  WrappingParameters(const WrappingParameters&) = delete;
  WrappingParameters& operator=(const WrappingParameters&) = delete;

  CK_MECHANISM* get() noexcept { return &mechanism_; }
  ByteView iv() const noexcept { return iv_; }
  WrappingForm form() const noexcept { return form_; }

 private:
  WrappingForm form_;
  Bytes iv_;
  CK_MECHANISM mechanism_{};
};

class WrappingKey {
 public:
  // The value is drawn by the token's generator and sent back as a session object that cannot be read. Throws
  // CkFailure.
  explicit WrappingKey(Session& session);
  // Destroys the object; where that fails it goes with its session.
  ~WrappingKey();
  WrappingKey(const WrappingKey&) = delete;
  WrappingKey& operator=(const WrappingKey&) = delete;

  CK_OBJECT_HANDLE handle() const noexcept { return handle_; }
  ByteView value() const noexcept { return value_.bytes(); }

 private:
  Session& session_;
  const Secret value_;
  CK_OBJECT_HANDLE handle_ = CK_INVALID_HANDLE;
};

}  // namespace hsmsigner::hsm
