#include "auth/failure_throttle.h"

#include <algorithm>

#include "crypto/digest.h"

namespace hsmsigner::auth {
namespace {

// Hashed, since a client id is whatever a stranger sent and may be long: what is remembered stays bounded. An address
// holds no NUL.
std::string key_of_pair(const std::string& client_id, const std::string& address) {
  return "pair " + crypto::sha256_hex(address + '\0' + client_id);
}
std::string key_of_address(const std::string& address) { return "address " + address; }

}  // namespace

std::chrono::seconds FailureThrottle::note_failure(const std::string& client_id, const std::string& address,
                                                   Instant now) {
  const std::string pair = key_of_pair(client_id, address);
  const std::lock_guard lock(mutex_);
  return std::max(note(pair, limits_.free_failures, now),
                  note(key_of_address(address), limits_.free_failures_address, now));
}

void FailureThrottle::note_success(const std::string& client_id, const std::string& address) {
  const std::string pair = key_of_pair(client_id, address);
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(pair);
  if (found == index_.end()) return;
  entries_.erase(found->second);
  index_.erase(found);
}

std::chrono::seconds FailureThrottle::note(const std::string& key, unsigned free_failures, Instant now) {
  const auto found = index_.find(key);
  if (found != index_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
  } else {
    entries_.push_front(Entry{key, 0, now, now});
    index_.emplace(key, entries_.begin());
  }
  Entry& entry = entries_.front();

  std::chrono::seconds wait{0};
  if (now < entry.blocked_until) {
    entry.last = now;
    wait = std::chrono::ceil<std::chrono::seconds>(entry.blocked_until - now);
  } else {
    if (now - entry.last >= limits_.forget_after) entry.failures = 0;
    entry.last = now;
    if (entry.failures < free_failures) {
      ++entry.failures;
    } else {
      // `failures` goes on as the count of delays beyond the free ones; the exponent is bounded well below overflow.
      const unsigned doublings = std::min(entry.failures - free_failures, 30U);
      wait = std::min(limits_.first_delay * (std::int64_t{1} << doublings), limits_.longest_delay);
      if (doublings < 30U) ++entry.failures;
      entry.blocked_until = now + wait;
    }
  }
  while (entries_.size() > std::max<std::size_t>(limits_.entries, 2)) {  // the two of this failure stay
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
  return wait;
}

}  // namespace hsmsigner::auth
