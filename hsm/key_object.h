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
  // A call that makes the key is about to be sent: what became of an earlier one of this id says nothing of it.
  void expect_new();
  // From a key just made.
  void set(CK_OBJECT_HANDLE handle, const Epoch& epoch);
  // From a walk over the token, which found this one key of the id.
  void learn(CK_OBJECT_HANDLE handle, const Epoch& epoch);
  // Whether find() would need no search in a session of this epoch.
  bool is_located(const Epoch& epoch);
  // The handle; looked for if it is not known or of an earlier epoch, by one thread while the others wait. Nothing if
  // the key is not in the token. Throws CkFailure, Error{internal_error} if there are several.
  std::optional<CK_OBJECT_HANDLE> find(Session& session);
  // The token says that this handle is not one.
  void forget(CK_OBJECT_HANDLE handle);
  // The handle, for who destroys the key: nobody gets it from here on, since tokens give its number to the next object
  // (openCryptoki does). Else as find().
  std::optional<CK_OBJECT_HANDLE> take(Session& session);
  // The key was not destroyed after all.
  void give_back();

 private:
  const Uuid id_;
  std::mutex mutex_;
  CK_OBJECT_HANDLE handle_ = CK_INVALID_HANDLE;  // guarded by mutex_
  Epoch epoch_;                                  // guarded by mutex_
  bool destroyed_ = false;                       // guarded by mutex_

  std::optional<CK_OBJECT_HANDLE> find_locked(Session& session);
};

// All who hold the same key share one KeyObject, so that who destroys it tells the others. Thread safe.
class KeyObjects {
 public:
  std::shared_ptr<KeyObject> of(const Uuid& id);
  // Whether somebody holds it.
  bool in_use(const Uuid& id);

 private:
  std::mutex mutex_;
  std::unordered_map<Uuid, std::weak_ptr<KeyObject>> objects_;  // guarded by mutex_; may hold expired ones
  std::size_t sweep_at_ = 1024;                                 // guarded by mutex_
};

// False if the key is not in the token. Throws as find() does.
bool destroy_key(Session& session, KeyObject& object);

}  // namespace hsmsigner::hsm
