// What the fault module does to which call: a text of one line per rule, read anew when its file changes.
//
//   FUNCTION [rv=CKR_NAME] [after] [report=ATTRIBUTE:BOOL] [flag=CKF_NAME] [sessions=N] [largest=N] [flip]
//            [set=ATTRIBUTE:BOOL] [drop=ATTRIBUTE] [since=FUNCTION]
//            [mechanism=CKM_NAME] [offer=CKM_NAME] [delay_ms=N] [skip=N] [times=N]
//
//   rv        answers this instead of calling the token; with `after` the token is called first and does its work
//   report    C_GetAttributeValue: what the token says of this CK_BBOOL attribute
//   set       C_GenerateKeyPair: the private key is made with this instead of what is asked
//   drop      C_CopyObject: this attribute of the new one is not passed on
//   since     acts only once this function has been called
//   flag      C_GetTokenInfo: sets this flag as well
//   sessions  C_GetTokenInfo: the largest number of sessions, R/W or not
//   largest   C_GetMechanismInfo: the largest key
//   flip      C_WrapKey: the last bit of the wrapped key; C_Sign: the last bit of the signature
//   mechanism acts only on calls with this one: C_GetMechanismInfo, C_WrapKey, C_UnwrapKey, C_SignInit
//   offer     C_GetMechanismList, C_GetMechanismInfo, C_WrapKey: this one is there too, for wrapping (composed_wraps.h)
//   delay_ms  before the call
//   skip      leaves the first N calls alone; times: acts on N calls only
#pragma once

#include <p11-kit/pkcs11.h>

#include <cstddef>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fault_module {

struct Rule {
  std::string function;
  std::optional<CK_RV> rv;
  bool after = false;
  std::optional<std::pair<CK_ATTRIBUTE_TYPE, CK_BBOOL>> report;
  std::optional<std::pair<CK_ATTRIBUTE_TYPE, CK_BBOOL>> set;
  std::optional<CK_ATTRIBUTE_TYPE> drop;
  std::string since;
  CK_FLAGS flags = 0;
  std::optional<CK_ULONG> sessions;
  std::optional<CK_ULONG> largest;
  bool flip = false;
  std::optional<CK_MECHANISM_TYPE> mechanism;
  std::optional<CK_MECHANISM_TYPE> offer;
  unsigned delay_ms = 0;
  std::size_t skip = 0;
  std::size_t times = std::numeric_limits<std::size_t>::max();
};

// Throws std::runtime_error for a line that is none, so that no test passes because its fault was never made.
std::vector<Rule> parse_plan(const std::string& text);

// The plan in a file. Thread safe.
class Plan {
 public:
  explicit Plan(std::string file) : file_(std::move(file)) {}
  // The rules that act on this call of `function`, with this mechanism if it has one. Counts it.
  std::vector<Rule> on_call(const std::string& function, std::optional<CK_MECHANISM_TYPE> mechanism);

 private:
  const std::string file_;
  std::mutex mutex_;
  std::string text_;              // guarded by mutex_; what rules_ were read from
  std::set<std::string> called_;  // guarded by mutex_; since rules_ were read
  std::vector<Rule> rules_;       // guarded by mutex_; skip and times count down
};

}  // namespace fault_module
