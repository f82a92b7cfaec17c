// Whether a journal is what was written, checked without trusting the service: every line is canonical and chained to
// the one before, every checkpoint is signed and vouches for what is there. docs/AUDIT.md says what that proves.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/checkpoint_keys.h"
#include "audit/event_line.h"
#include "audit/journal_source.h"
#include "audit/problem.h"
#include "base/signer.h"

namespace hsmsigner::audit {

// Details of journal_archived that tell which events were moved, in decimal.
inline constexpr const char* kArchivedFirst = "first";
inline constexpr const char* kArchivedLast = "last";
inline constexpr const char* kArchiveDigest = "sha256";  // of the file, lower-case hexadecimal

struct VerifierOptions {
  std::vector<PublicKey> pinned_keys;         // when there are any, only these are trusted
  std::vector<std::string> kept_checkpoints;  // JWS, each kept elsewhere than the journal
};

struct Verdict {
  std::optional<Problem> problem;  // nothing: intact
  std::uint64_t first = 0;         // sequence; 0: there was no event
  std::uint64_t last = 0;
  std::string head;                           // hash of the last event
  std::uint64_t checkpoints = 0;              // how many the journal has, each counted once
  std::optional<Checkpoint> last_checkpoint;  // of the journal
  std::vector<KeyUse> keys;
  std::uint64_t kept_confirmed = 0;
  // Numbers of kept checkpoints that cover only events before the first one here, and are not in the journal.
  std::vector<std::uint64_t> kept_unchecked;
  std::uint64_t kept_up_to = 0;  // the last event that a confirmed kept checkpoint covers; 0: none
  // The first event is not number 1, and this event tells that those before it were archived; 0: none does.
  std::uint64_t start_told = 0;
  std::string archive_sha256;  // of the archive, as that event tells; "": it does not

  // Whether a checkpoint covers that event: until then whoever can write the database could have written it, and taken
  // out the beginning.
  bool start_vouched() const {
    const std::uint64_t covered = last_checkpoint ? last_checkpoint->sequence : 0;
    return start_told != 0 && (start_told <= covered || start_told <= kept_up_to);
  }

  // How many of the last events no checkpoint covers yet: whoever can write the database could have written them.
  std::uint64_t uncovered() const {
    const std::uint64_t covered = last_checkpoint ? last_checkpoint->sequence : 0;
    return last > covered ? last - covered : 0;
  }
};

// Takes one journal, or its parts in order (archives, then the database). Its memory does not grow with the journal.
// One thread at a time.
class Verifier {
 public:
  // Throws Error{invalid_object} for a kept checkpoint that is none.
  explicit Verifier(VerifierOptions options);

  // Reads to the end or to the first problem. Throws what the source throws. After a problem nothing more is read.
  void read(JournalSource& source);
  // Once, at last.
  Verdict finish();

 private:
  struct Kept {
    std::string jws;
    Checkpoint checkpoint;
    bool confirmed = false;
  };
  struct Link {
    std::uint64_t number = 0;
    std::string hash;  // of the JWS
  };
  using Kepts = std::multimap<std::uint64_t, Kept>;

  void take(const AuditKeyItem& item, JournalSource& source);
  void take(const EventItem& item, JournalSource& source);
  void take(const CheckpointItem& item, JournalSource& source);

  std::uint64_t expected() const;
  bool stands_in_order(const ChainedEvent& event, const std::string& hash, JournalSource& source);
  bool follows(const ChainedEvent& event, const std::string& hash, JournalSource& source);
  bool is_confirmed_by_next(const ChainedEvent& event, const std::string& hash, JournalSource& source) const;
  bool begins_well(const ChainedEvent& event, const JournalSource& source);
  bool continues_checkpoints(const Checkpoint& checkpoint, const std::string& hash, const JournalSource& source);
  bool stands_behind_its_event(const Checkpoint& checkpoint, JournalSource& source);
  bool is_the_kept_one(const CheckpointItem& item, const Checkpoint& checkpoint, const JournalSource& source);
  bool agrees_with_kept(std::uint64_t sequence, const std::string& hash, const std::string& place);
  bool is_trusted(const Kept& kept);
  void end_of(const JournalSource& source);

  // Always false.
  bool refuse(Fault fault, std::uint64_t sequence, std::string what, const std::string& place);
  bool refuse(Fault fault, std::pair<std::uint64_t, std::uint64_t> range, std::string what, const std::string& place);
  // The events that the next checkpoint vouches for and the one before did not.
  std::pair<std::uint64_t, std::uint64_t> since_last_checkpoint(std::uint64_t until) const;

  CheckpointKeys keys_;
  Kepts kept_;                            // by sequence
  std::set<std::uint64_t> kept_numbers_;  // theirs
  Verdict verdict_;
  std::string before_head_;    // `previous` of the last event
  Link link_;                  // the last checkpoint of all
  std::optional<Link> chain_;  // the last one read in this source
  bool first_source_ = true;
  std::uint64_t first_here_ = 0;  // this source's first event; 0: none yet
  bool told_here_ = false;        // an event of this source tells where the events before its first one went
};

}  // namespace hsmsigner::audit
