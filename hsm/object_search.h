// One search of a session.
#pragma once

#include <p11-kit/pkcs11.h>

#include <array>
#include <cstddef>

#include "base/error.h"
#include "hsm/ck_result.h"
#include "hsm/key_template.h"
#include "hsm/object_gate.h"
#include "hsm/session.h"

namespace hsmsigner::hsm {

// Ends it whatever happens: a session has only one. Throws CkFailure, and Error{internal_error} for an answer that the
// standard does not allow.
class ObjectSearch {
 public:
  ObjectSearch(Session& session, Template query) : session_(session) {
    const ObjectGate::Searching alone(session_.gate(), session_.deadline());
    check("C_FindObjectsInit", session_.ck().C_FindObjectsInit(session_.handle(), query.data(), query.size()));
  }
  ~ObjectSearch() {
    if (session_.ck().C_FindObjectsFinal(session_.handle()) != CKR_OK) session_.poison();
  }
  ObjectSearch(const ObjectSearch&) = delete;
  ObjectSearch& operator=(const ObjectSearch&) = delete;

  // How many of `handles` were filled.
  template <std::size_t size>
  std::size_t next(std::array<CK_OBJECT_HANDLE, size>& handles) {
    CK_ULONG count = 0;
    check("C_FindObjects", session_.ck().C_FindObjects(session_.handle(), handles.data(), size, &count));
    if (count > size) {
      throw Error(ErrorKind::internal_error, {"the token gave an answer that cannot be right"})
          .with_cause("C_FindObjects gave more than asked");
    }
    return count;
  }

 private:
  Session& session_;
};

// Throws CkFailure unless the session is logged in: one that lost its login sees no private objects and is not told
// why.
inline void require_login(Session& session) {
  CK_SESSION_INFO state{};
  check("C_GetSessionInfo", session.ck().C_GetSessionInfo(session.handle(), &state));
  if (state.state != CKS_RW_USER_FUNCTIONS) throw CkFailure("C_FindObjects", CKR_USER_NOT_LOGGED_IN);
}

}  // namespace hsmsigner::hsm
