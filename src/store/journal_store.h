// The journal and its checkpoints, as the store keeps them. Events that tell of a change are written with it
// (alongside.h); here are those that tell of none, and everything that is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/event.h"
#include "base/clock.h"
#include "base/signer.h"
#include "base/uuid.h"

namespace hsmsigner::store {

struct JournalLine {
  std::uint64_t sequence = 0;
  std::string line;  // audit/event_line.h
};

struct JournalFilter {
  std::optional<UnixMillis> from;   // not before
  std::optional<UnixMillis> until;  // before
  std::optional<audit::EventKind> kind;
  std::string account;  // "": any
  std::string object;   // "": any
};

// The last event: what the next one is chained to. sequence 0: the journal is empty.
struct JournalHead {
  std::uint64_t sequence = 0;
  std::string hash;
};

struct CheckpointRecord {
  std::uint64_t number = 0;
  std::uint64_t sequence = 0;  // of the last event covered
  UnixMillis time;
  std::string jws;
};

// The key in the token that signs checkpoints, evidence and reports. Old ones stay: they verify what they signed.
struct AuditKeyRecord {
  Uuid id;  // CKA_ID, and the JWS's `kid`
  std::string public_key_pem;
  UnixTime created_at;
};

// Thread safe. Errors as in certificate_store.h; writing throws Error{journal_unavailable} when the database fails.
class JournalStore {
 public:
  virtual ~JournalStore() = default;

  // Returns the event's sequence once it is durable.
  virtual std::uint64_t append(const audit::Event& event, Deadline deadline) = 0;

  virtual JournalHead head() = 0;
  // The oldest event still here; 0: there are none.
  virtual std::uint64_t first_sequence() = 0;
  // In order, those after `after`, at most `limit`.
  virtual std::vector<JournalLine> lines(std::uint64_t after, std::size_t limit) = 0;
  // Likewise, of those that fit.
  virtual std::vector<JournalLine> find(const JournalFilter& filter, std::uint64_t after, std::size_t limit) = 0;
  // The latest of a kind.
  virtual std::optional<JournalLine> last_of(audit::EventKind kind) = 0;

  // In order, those whose number is above `after`, at most `limit`.
  virtual std::vector<CheckpointRecord> checkpoints(std::uint64_t after, std::size_t limit) = 0;
  virtual std::optional<CheckpointRecord> last_checkpoint() = 0;
  // Throws Error{object_not_unique} when there is one of this number: another process was faster.
  virtual void add_checkpoint(const CheckpointRecord& checkpoint, Deadline deadline) = 0;

  // The newest first.
  virtual std::vector<AuditKeyRecord> audit_keys() = 0;
  // With its event, in one transaction.
  virtual void add_audit_key(const AuditKeyRecord& key, const audit::Event& event, Deadline deadline) = 0;

  // Removes the events up to and with `sequence`, which an archive and a checkpoint cover, and writes `event`, which
  // tells of it, in one transaction. The checkpoints stay.
  virtual void remove_archived(std::uint64_t sequence, const audit::Event& event, Deadline deadline) = 0;

  // How far a live copy has come ("syslog"): the sequence of the last event that was handed over; 0: none.
  virtual std::uint64_t copied(const std::string& sink) = 0;
  virtual void set_copied(const std::string& sink, std::uint64_t sequence, Deadline deadline) = 0;
};

}  // namespace hsmsigner::store
