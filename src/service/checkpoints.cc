#include "service/checkpoints.h"

#include <algorithm>

#include "audit/checkpoint.h"
#include "audit/event_line.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/jws.h"

namespace hsmsigner::service {
namespace {

constexpr std::size_t kPage = 500;
// As often as this another process may be faster before this one gives up.
constexpr int kAttempts = 5;

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(ErrorKind::internal_error, {"journal: " + sentence})
      .with_help("No checkpoint is made over it. `hsm-signer audit verify` names the first event that is wrong.");
}

audit::Checkpoint read(const store::CheckpointRecord& record) {
  std::optional<audit::Checkpoint> checkpoint;
  try {
    checkpoint = audit::parse_checkpoint(crypto::read_jws(record.jws).payload);
  } catch (const Error&) {
    // Said below, like every other fault of it.
  }
  if (!checkpoint || checkpoint->number != record.number || checkpoint->sequence != record.sequence) {
    refuse("checkpoint " + std::to_string(record.number) + " is not as it was made");
  }
  return *checkpoint;
}

}  // namespace

std::optional<store::CheckpointRecord> Checkpoints::make(Deadline deadline) {
  for (int attempt = 1;; ++attempt) {
    // In this order: a head that is read first would seem cut off by a checkpoint made meanwhile.
    const std::optional<store::CheckpointRecord> last = journal_.last_checkpoint();
    const store::JournalHead head = journal_.head();
    audit::Checkpoint next{1, 0, "", clock_(), audit::kNoPrevious};
    End covered{0, audit::kNoPrevious};
    if (last) {
      const audit::Checkpoint before = read(*last);
      covered = {before.sequence, before.head};
      next.number = before.number + 1;
      next.previous = crypto::sha256_hex(last->jws);
    }
    if (head.sequence < covered.sequence ||
        (head.sequence == covered.sequence && head.sequence != 0 && head.hash != covered.hash)) {
      refuse("it ends at event " + std::to_string(head.sequence) + ", and not as checkpoint " +
             std::to_string(next.number - 1) + " says, which covers it up to event " +
             std::to_string(covered.sequence));
    }
    if (head.sequence == covered.sequence) return std::nullopt;

    const std::uint64_t to = std::min(head.sequence, covered.sequence + kMostEvents);
    const End end = follow(covered, to, deadline);
    if (to == head.sequence && end.hash != head.hash) {
      refuse("its head is not the hash of event " + std::to_string(to));
    }
    next.sequence = end.sequence;
    next.head = end.hash;
    store::CheckpointRecord record{next.number, next.sequence, next.time,
                                   key_.sign(audit::kCheckpointType, audit::payload_of(next), deadline)};
    try {
      journal_.add_checkpoint(record, deadline);
      return record;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::object_not_unique || attempt == kAttempts) throw;
    }
  }
}

Checkpoints::End Checkpoints::follow(End from, std::uint64_t to, Deadline deadline) {
  while (from.sequence < to) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(ErrorKind::session_timeout, {"journal: reading it took too long"});
    }
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kPage, to - from.sequence));
    const std::vector<store::JournalLine> lines = journal_.lines(from.sequence, wanted);
    if (lines.empty()) refuse("event " + std::to_string(from.sequence + 1) + " is missing");
    for (const store::JournalLine& line : lines) {
      const std::optional<audit::ChainedEvent> event = audit::parse_line(line.line);
      if (line.sequence != from.sequence + 1) refuse("event " + std::to_string(from.sequence + 1) + " is missing");
      if (!event || event->sequence != line.sequence || event->previous != from.hash) {
        refuse("event " + std::to_string(line.sequence) + " does not follow from the one before");
      }
      from = {line.sequence, audit::hash_of(line.line)};
    }
  }
  return from;
}

}  // namespace hsmsigner::service
