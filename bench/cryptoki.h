// The PKCS#11 module, called directly and without any of the service's code: load, log in, count, destroy. Every
// call that does not answer CKR_OK is a std::runtime_error.
#pragma once

#include <p11-kit/pkcs11.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/uuid.h"

namespace hsmsigner::bench {

void check(CK_RV result, const char* call);

// C_Initialize to C_Finalize; one per process.
class Module {
 public:
  explicit Module(const std::string& path);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  CK_FUNCTION_LIST* operator->() const noexcept { return functions_; }

 private:
  CK_FUNCTION_LIST* functions_ = nullptr;
};

// A read-write session; not shared between threads.
class Session {
 public:
  Session(const Module& module, CK_SLOT_ID slot);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  CK_SESSION_HANDLE handle() const noexcept { return handle_; }

 private:
  const Module& module_;
  CK_SESSION_HANDLE handle_ = 0;
};

// A token found by its label, logged in for as long as this object lives.
class LoggedInToken {
 public:
  LoggedInToken(const std::string& module_path, const std::string& label, const Secret& pin);

  const Module& module() const noexcept { return module_; }
  CK_SLOT_ID slot() const noexcept { return slot_; }

  // Token objects of every class.
  std::size_t count_objects() const;
  // The one private key with this CKA_ID.
  CK_OBJECT_HANDLE private_key(const Uuid& id) const;
  void destroy(const std::vector<CK_OBJECT_HANDLE>& objects) const;
  // The private keys with these CKA_IDs; returns how many there were. One walk over the token.
  std::size_t destroy_keys(const std::set<Uuid>& ids) const;

 private:
  Module module_;
  CK_SLOT_ID slot_;
  Session keeper_;
};

}  // namespace hsmsigner::bench
