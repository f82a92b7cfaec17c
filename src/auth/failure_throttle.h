// Slows failed authentication down, per client id and address, and per address. Never stands in the way of a right
// secret: the caller asks it only once a secret was found wrong, so that no stranger can lock an account.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace hsmsigner::auth {

struct ThrottleLimits {
  unsigned free_failures = 5;           // of one client id from one address, before it is slowed
  unsigned free_failures_address = 50;  // of one address, whatever the client ids
  std::chrono::seconds first_delay{1};  // doubles with each further failure
  std::chrono::seconds longest_delay{60};
  std::chrono::seconds forget_after{900};  // since the last failure
  std::size_t entries = 4096;              // remembered (2 at least); the one touched longest ago goes first
};

// Thread safe.
class FailureThrottle {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  explicit FailureThrottle(ThrottleLimits limits = {}) : limits_(limits) {}

  // A failure of this client id from this address, now. How long the caller has to wait before its next attempt is
  // looked at again; zero while it still has free ones. An attempt during a wait that was imposed does not lengthen it.
  std::chrono::seconds note_failure(const std::string& client_id, const std::string& address, Instant now);
  // The right secret: what was noted of this client id and address is forgotten (the address alone is not).
  void note_success(const std::string& client_id, const std::string& address);

 private:
  struct Entry {
    std::string key;
    unsigned failures = 0;
    Instant last;
    Instant blocked_until;
  };
  std::chrono::seconds note(const std::string& key, unsigned free_failures, Instant now);

  const ThrottleLimits limits_;
  std::mutex mutex_;
  std::list<Entry> entries_;                                           // guarded by mutex_; most recently touched first
  std::unordered_map<std::string, std::list<Entry>::iterator> index_;  // guarded by mutex_
};

}  // namespace hsmsigner::auth
