// Keys that must not stay: a request made them, or may have, and then failed. A key is on this list until it is known
// to be gone, however unwell the token is meanwhile.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "hsm/incidents.h"
#include "hsm/key_object.h"
#include "hsm/session.h"

namespace hsmsigner::hsm {

// Thread safe. Nothing waits in here but for the token.
class Orphans {
 public:
  enum class Made {
    surely,
    // The call failed in a way that says nothing. The token may still be at it, so that "not found" counts only after a
    // while.
    perhaps,
  };

  // `incidents` outlives this, and is told of each key destroyed.
  explicit Orphans(Incidents& incidents) : incidents_(incidents) {}
  ~Orphans() { log_remaining(); }
  Orphans(const Orphans&) = delete;
  Orphans& operator=(const Orphans&) = delete;

  void add(std::shared_ptr<KeyObject> key, Made made);
  // Whether there is one to be tried now.
  bool due() const;
  // Destroys every key that is due and that no other thread is busy with. One that cannot be destroyed stays on the
  // list, and is logged. Throws CkFailure when a session is to blame, so that the pool tries again in a fresh one.
  void destroy_all(Session& session);
  // Logs the id of every key that may be left: the last that this process knows of it.
  void log_remaining() const;

 private:
  struct Entry {
    std::shared_ptr<KeyObject> key;
    Made made = Made::surely;
    Deadline give_up;     // perhaps: from here on "not found" is believed
    Deadline not_before;  // not tried earlier: a search is dear
    bool busy = false;
  };
  class Claim;

  Incidents& incidents_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // guarded by mutex_
};

}  // namespace hsmsigner::hsm
