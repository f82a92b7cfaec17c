// Keys that must not stay: a request made them, or may have, and then failed. A key is on this list until it is known
// to be gone, however unwell the token is meanwhile.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "hsm/key_object.h"
#include "hsm/session.h"

namespace hsmsigner::hsm {

// Thread safe. Nothing waits in here but for the token.
class Orphans {
 public:
  Orphans() = default;
  // Logs the id of every key that is still there: the last that this process knows of it.
  ~Orphans();
  Orphans(const Orphans&) = delete;
  Orphans& operator=(const Orphans&) = delete;

  void add(std::shared_ptr<KeyObject> key);
  bool empty() const;
  // Destroys every key that no other thread is busy with. One that cannot be destroyed stays on the list. Throws
  // CkFailure when the session is lost.
  void destroy_all(Session& session);

 private:
  struct Entry {
    std::shared_ptr<KeyObject> key;
    bool busy = false;
  };
  class Claim;

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // guarded by mutex_
};

}  // namespace hsmsigner::hsm
