// What a CK_RV means to this program: its name for the log, what may be done about it, and what the caller is told.
#pragma once

#include <p11-kit/pkcs11.h>

#include <exception>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace hsmsigner::hsm {

enum class CkClass {
  session_lost,     // the session, the login or the token is gone: open anew, then perhaps once more
  stale_operation,  // this session is in the middle of something: take a fresh one
  stale_handle,     // the object is no longer under this handle: find it again
  pin,              // the PIN was refused: never send it again
  full,             // no room in the token
  session_count,    // no further session
  other,
};

// "CKR_DEVICE_MEMORY"; "CKR 0x80000001" for what the standard does not name.
std::string ck_name(CK_RV rv);
CkClass ck_class(CK_RV rv) noexcept;
// Whether a call that answers this has certainly changed nothing in the token, so that even a generation may be sent
// once more. After CKR_DEVICE_ERROR and its like nobody knows.
bool changed_nothing(CK_RV rv) noexcept;

// A Cryptoki call that failed. Does not leave this room: the session pool retries it or makes it an Error.
class CkFailure : public std::exception {
 public:
  // `function` is a string literal.
  CkFailure(const char* function, CK_RV rv) noexcept : function_(function), rv_(rv) {}
  const char* function() const noexcept { return function_; }
  CK_RV rv() const noexcept { return rv_; }
  const char* what() const noexcept override { return function_; }

 private:
  const char* function_;
  CK_RV rv_;
};

Error to_error(const CkFailure& failure, SourcePlace where = SourcePlace::here());

inline void check(const char* function, CK_RV rv) {
  if (rv != CKR_OK) throw CkFailure(function, rv);
}

// Cryptoki's input parameters are not const although it only reads them. The one place that says so.
template <typename T>
T* ck_input(const T* data) noexcept {
  return const_cast<T*>(data);
}
inline CK_BYTE* ck_input(ByteView data) noexcept { return const_cast<CK_BYTE*>(data.data()); }

}  // namespace hsmsigner::hsm
