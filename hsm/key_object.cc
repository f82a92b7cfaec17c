#include "hsm/key_object.h"

#include "hsm/ck_result.h"
#include "hsm/key_reader.h"

namespace hsmsigner::hsm {

void KeyObject::expect_new() {
  const std::lock_guard lock(mutex_);
  handle_ = CK_INVALID_HANDLE;
  destroyed_ = false;
}

void KeyObject::set(CK_OBJECT_HANDLE handle, const Epoch& epoch) {
  const std::lock_guard lock(mutex_);
  handle_ = handle;
  epoch_ = epoch;
  destroyed_ = false;
}

void KeyObject::learn(CK_OBJECT_HANDLE handle, const Epoch& epoch) {
  const std::lock_guard lock(mutex_);
  // What was destroyed while the walk went on stays destroyed; what is known of this epoch is as good.
  if (destroyed_ || (handle_ != CK_INVALID_HANDLE && epoch_ == epoch)) return;
  handle_ = handle;
  epoch_ = epoch;
}

bool KeyObject::is_located(const Epoch& epoch) {
  const std::lock_guard lock(mutex_);
  return !destroyed_ && handle_ != CK_INVALID_HANDLE && epoch_ == epoch;
}

std::optional<CK_OBJECT_HANDLE> KeyObject::find(Session& session) {
  const std::lock_guard lock(mutex_);
  return find_locked(session);
}

std::optional<CK_OBJECT_HANDLE> KeyObject::take(Session& session) {
  const std::lock_guard lock(mutex_);
  const std::optional<CK_OBJECT_HANDLE> handle = find_locked(session);
  if (handle) destroyed_ = true;
  return handle;
}

void KeyObject::give_back() {
  const std::lock_guard lock(mutex_);
  destroyed_ = false;
}

std::optional<CK_OBJECT_HANDLE> KeyObject::find_locked(Session& session) {
  if (destroyed_) return std::nullopt;
  if (handle_ != CK_INVALID_HANDLE && epoch_ == session.epoch()) return handle_;
  const std::optional<CK_OBJECT_HANDLE> found = find_private_key(session, id_);
  handle_ = found.value_or(CK_INVALID_HANDLE);
  epoch_ = session.epoch();
  return found;
}

void KeyObject::forget(CK_OBJECT_HANDLE handle) {
  const std::lock_guard lock(mutex_);
  if (handle_ == handle) handle_ = CK_INVALID_HANDLE;
}

std::shared_ptr<KeyObject> KeyObjects::of(const Uuid& id) {
  const std::lock_guard lock(mutex_);
  if (objects_.size() >= sweep_at_) {
    std::erase_if(objects_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = 2 * objects_.size() + 1024;
  }
  std::weak_ptr<KeyObject>& entry = objects_[id];
  std::shared_ptr<KeyObject> object = entry.lock();
  if (!object) {
    object = std::make_shared<KeyObject>(id);
    entry = object;
  }
  return object;
}

bool KeyObjects::in_use(const Uuid& id) {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(id);
  return found != objects_.end() && !found->second.expired();
}

bool destroy_key(Session& session, KeyObject& object) {
  const std::optional<CK_OBJECT_HANDLE> handle = object.take(session);
  if (!handle) return false;
  const CK_RV rv = session.ck().C_DestroyObject(session.handle(), *handle);
  if (rv == CKR_OK) return true;
  object.give_back();
  if (ck_class(rv) == CkClass::stale_handle) object.forget(*handle);
  throw CkFailure("C_DestroyObject", rv);
}

}  // namespace hsmsigner::hsm
