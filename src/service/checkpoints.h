// Checkpoints of the journal (audit/checkpoint.h): signed by the audit key, each chained to the one before.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "service/audit_key.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

using MillisClock = std::function<UnixMillis()>;

// Thread safe; several processes may share one journal.
class Checkpoints {
 public:
  // What one checkpoint covers at most beyond the one before; a journal that is further ahead takes several.
  static constexpr std::uint64_t kMostEvents = 100'000;

  // Both outlive this object. `key` has been ensured, or is before make() is called.
  Checkpoints(store::JournalStore& journal, AuditKey& key, MillisClock clock = system_now_millis)
      : journal_(journal), key_(key), clock_(std::move(clock)) {}

  // The next one, once it is durable. Nothing when no event came after the last one, whoever made that. Every event
  // that it covers is read first: this program does not vouch for a journal that does not continue from the last
  // checkpoint, nor for one that is another than this object knew it: the last checkpoint that it made or saw must be
  // there, with its event, and those after it must be signed by a key of ours. It forgets this with the process.
  // Throws Error: internal_error, "journal: …", logged as well, when the journal was changed or cut off, or an older
  // one put in its place; session_timeout past the deadline; what the store and the audit key throw.
  std::optional<store::CheckpointRecord> make(Deadline deadline);
  // Up to which event there is a checkpoint; 0: there is none. It counts as seen from then on. Throws as make().
  std::uint64_t covered(Deadline deadline);

 private:
  struct End {
    std::uint64_t sequence = 0;
    std::string hash;
  };
  // A checkpoint that is known to have been there.
  struct Seen {
    std::uint64_t number = 0;
    std::string jws;
    End covered;
  };
  End follow(End from, std::uint64_t to, Deadline deadline);
  // The store's last one. Refuses when what this object knows is not there any more.
  std::optional<Seen> last(Deadline deadline);
  std::optional<Seen> last_after(const Seen& seen, Deadline deadline);
  void require_event(const Seen& seen);
  void remember(const Seen& seen);

  store::JournalStore& journal_;
  AuditKey& key_;
  MillisClock clock_;
  std::mutex mutex_;
  std::optional<Seen> seen_;  // guarded by mutex_
};

}  // namespace hsmsigner::service
