// Checkpoints of the journal (audit/checkpoint.h): signed by the audit key, each chained to the one before.
#pragma once

#include <cstdint>
#include <functional>
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
  // checkpoint. Throws Error: internal_error, "journal: …", when it does not (changed, cut off, or an older one put in
  // its place); session_timeout past the deadline; what the store and the audit key throw.
  std::optional<store::CheckpointRecord> make(Deadline deadline);

 private:
  struct End {
    std::uint64_t sequence = 0;
    std::string hash;
  };
  End follow(End from, std::uint64_t to, Deadline deadline);

  store::JournalStore& journal_;
  AuditKey& key_;
  MillisClock clock_;
};

}  // namespace hsmsigner::service
