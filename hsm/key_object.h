// A private key object in the token: its id, and its handle while that is good.
#pragma once

#include <p11-kit/pkcs11.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/uuid.h"
#include "hsm/session.h"

namespace hsmsigner::hsm {

// Thread safe.
class KeyObject {
 public:
  explicit KeyObject(const Uuid& id) : id_(id) {}

  const Uuid& id() const noexcept { return id_; }
  // From a key just generated.
  void set(CK_OBJECT_HANDLE handle, std::uint64_t epoch);
  // The handle; looked for if it is not known or of an earlier epoch, by one thread while the others wait. Nothing if
  // the key is not in the token. Throws CkFailure, Error{object_not_unique}.
  std::optional<CK_OBJECT_HANDLE> find(Session& session);
  // The token says that this handle is not one.
  void forget(CK_OBJECT_HANDLE handle);
  // This process destroyed the key. Tokens give a handle's number to the next object (openCryptoki does), so it is
  // never used again.
  void mark_destroyed();

 private:
  const Uuid id_;
  std::mutex mutex_;
  CK_OBJECT_HANDLE handle_ = CK_INVALID_HANDLE;  // guarded by mutex_
  std::uint64_t epoch_ = 0;                      // guarded by mutex_
  bool destroyed_ = false;                       // guarded by mutex_
};

// All who hold the same key share one KeyObject, so that who destroys it tells the others. Thread safe.
class KeyObjects {
 public:
  std::shared_ptr<KeyObject> of(const Uuid& id);

 private:
  std::mutex mutex_;
  std::unordered_map<Uuid, std::weak_ptr<KeyObject>> objects_;  // guarded by mutex_; may hold expired ones
  std::size_t sweep_at_ = 1024;                                 // guarded by mutex_
};

// False if the key is not in the token. Throws CkFailure, Error{object_not_unique}.
bool destroy_key(Session& session, KeyObject& object);

}  // namespace hsmsigner::hsm
