#include "hsm/orphans.h"

#include <algorithm>

#include "base/log.h"
#include "hsm/ck_result.h"

namespace hsmsigner::hsm {

// The keys one thread is busy with; given back when it leaves, but for those that are gone.
class Orphans::Claim {
 public:
  explicit Claim(Orphans& orphans) : orphans_(orphans) {
    const std::lock_guard lock(orphans_.mutex_);
    for (Entry& entry : orphans_.entries_) {
      if (entry.busy) continue;
      keys_.push_back(entry.key);
      entry.busy = true;
    }
  }
  ~Claim() {
    const std::lock_guard lock(orphans_.mutex_);
    for (Entry& entry : orphans_.entries_) {
      if (std::ranges::find(keys_, entry.key) != keys_.end()) entry.busy = false;
    }
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  const std::vector<std::shared_ptr<KeyObject>>& keys() const { return keys_; }
  void gone(const std::shared_ptr<KeyObject>& key) {
    const std::lock_guard lock(orphans_.mutex_);
    std::erase_if(orphans_.entries_, [&](const Entry& entry) { return entry.key == key; });
  }

 private:
  Orphans& orphans_;
  std::vector<std::shared_ptr<KeyObject>> keys_;
};

Orphans::~Orphans() {
  for (const Entry& entry : entries_) log::error("key left in the token", {{"id", entry.key->id().to_string()}});
}

void Orphans::add(std::shared_ptr<KeyObject> key) {
  const std::lock_guard lock(mutex_);
  entries_.push_back({std::move(key), false});
}

bool Orphans::empty() const {
  const std::lock_guard lock(mutex_);
  return entries_.empty();
}

void Orphans::destroy_all(Session& session) {
  Claim claim(*this);
  for (const std::shared_ptr<KeyObject>& key : claim.keys()) {
    try {
      const bool found = destroy_key(session, *key);
      claim.gone(key);
      if (found) log::info("key without a certificate destroyed", {{"id", key->id().to_string()}});
    } catch (const CkFailure& failure) {
      log::warning("key is still to be destroyed", {{"id", key->id().to_string()}, {"ck", ck_name(failure.rv())}});
      if (ck_class(failure.rv()) == CkClass::session_lost) throw;
    }
  }
}

}  // namespace hsmsigner::hsm
