#include "hsm/orphans.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/error.h"
#include "base/log.h"
#include "hsm/ck_result.h"

namespace hsmsigner::hsm {
namespace {

using std::chrono::steady_clock;

// Longer than any token takes for a key pair.
constexpr std::chrono::minutes kLongestGeneration{5};
constexpr std::chrono::seconds kBetweenSearches{10};

}  // namespace

// The keys one thread is busy with; given back when it leaves, but for those that are gone.
class Orphans::Claim {
 public:
  explicit Claim(Orphans& orphans) : orphans_(orphans) {
    const std::lock_guard lock(orphans_.mutex_);
    const Deadline now = steady_clock::now();
    for (Entry& entry : orphans_.entries_) {
      if (entry.busy || entry.not_before > now) continue;
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

  void destroyed(const std::shared_ptr<KeyObject>& key) {
    const std::lock_guard lock(orphans_.mutex_);
    std::erase_if(orphans_.entries_, [&](const Entry& entry) { return entry.key == key; });
  }
  void not_found(const std::shared_ptr<KeyObject>& key) {
    const std::lock_guard lock(orphans_.mutex_);
    const Deadline now = steady_clock::now();
    std::erase_if(orphans_.entries_, [&](const Entry& entry) {
      return entry.key == key && (entry.made == Made::surely || entry.give_up <= now);
    });
    for (Entry& entry : orphans_.entries_) {
      if (entry.key == key) entry.not_before = now + kBetweenSearches;
    }
  }

 private:
  Orphans& orphans_;
  std::vector<std::shared_ptr<KeyObject>> keys_;
};

void Orphans::add(std::shared_ptr<KeyObject> key, Made made) {
  if (made == Made::perhaps) log::warning("key may have been made", {{"id", key->id().to_string()}});
  const std::lock_guard lock(mutex_);
  const Deadline now = steady_clock::now();
  entries_.push_back({std::move(key), made, now + kLongestGeneration, now, false});
}

bool Orphans::due() const {
  const std::lock_guard lock(mutex_);
  const Deadline now = steady_clock::now();
  return std::ranges::any_of(entries_, [&](const Entry& entry) { return !entry.busy && entry.not_before <= now; });
}

void Orphans::destroy_all(Session& session) {
  Claim claim(*this);
  std::optional<CkFailure> session_to_blame;
  for (const std::shared_ptr<KeyObject>& key : claim.keys()) {
    const auto failed = [&](const std::string& cause) {
      log::warning("key is still to be destroyed", {{"id", key->id().to_string()}, {"cause", cause}});
    };
    try {
      if (destroy_key(session, *key)) {
        claim.destroyed(key);
        log::info("key without a certificate destroyed", {{"id", key->id().to_string()}});
        incidents_.key_destroyed(key->id());
      } else {
        claim.not_found(key);
      }
    } catch (const CkFailure& failure) {
      failed(std::string(failure.function()) + ": " + ck_name(failure.rv()));
      const CkClass meaning = ck_class(failure.rv());
      if (meaning == CkClass::session_lost) throw;
      if (meaning == CkClass::stale_operation || meaning == CkClass::stale_handle) session_to_blame = failure;
    } catch (const Error& error) {
      failed(error.what());
    }
  }
  if (session_to_blame) throw CkFailure(*session_to_blame);
}

void Orphans::log_remaining() const {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    log::error(entry.made == Made::surely ? "key left in the token" : "key that may be left in the token",
               {{"id", entry.key->id().to_string()}});
  }
}

}  // namespace hsmsigner::hsm
