// Keeps searches apart from the making of token objects, for modules that cannot do both at once.
//
// SoftHSM 2.6.1: C_FindObjectsInit in one thread beside C_GenerateKeyPair, C_UnwrapKey or C_CreateObject in another
// makes about one in a hundred of the latter fail (CKR_GENERAL_ERROR, CKR_TEMPLATE_INCONSISTENT, a key with other
// attributes), and leaves an object without an id behind. Making in parallel is safe; so is destroying.
#pragma once

#include <condition_variable>
#include <mutex>

#include "base/clock.h"

namespace hsmsigner::hsm {

// Thread safe. Those who make go on together; one who searches waits for them, keeps new ones out meanwhile, and goes
// alone.
class ObjectGate {
 public:
  // Not `needed`: everybody goes on at once.
  explicit ObjectGate(bool needed) : needed_(needed) {}

  // While one lives. Both throw Error{session_timeout} when the deadline passes first.
  class Making {
   public:
    Making(ObjectGate& gate, Deadline deadline);
    ~Making();
    Making(const Making&) = delete;
    Making& operator=(const Making&) = delete;

   private:
    ObjectGate& gate_;
  };
  class Searching {
   public:
    Searching(ObjectGate& gate, Deadline deadline);
    ~Searching();
    Searching(const Searching&) = delete;
    Searching& operator=(const Searching&) = delete;

   private:
    ObjectGate& gate_;
  };

 private:
  const bool needed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned making_ = 0;       // guarded by mutex_
  unsigned will_search_ = 0;  // guarded by mutex_; those that wait
  bool searching_ = false;    // guarded by mutex_
};

}  // namespace hsmsigner::hsm
