#include "service/checkpoints.h"

#include <algorithm>

#include "audit/checkpoint.h"
#include "audit/event_line.h"
#include "base/error.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "crypto/jws.h"

namespace hsmsigner::service {
namespace {

constexpr std::size_t kPage = 500;
// As often as this another process may be faster before this one gives up.
constexpr int kAttempts = 5;

[[noreturn]] void refuse(const std::string& sentence) {
  log::error("no checkpoint is made over this journal", {{"reason", sentence}});
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
    const std::optional<Seen> before = last(deadline);
    const store::JournalHead head = journal_.head();
    audit::Checkpoint next{1, 0, "", clock_(), audit::kNoPrevious};
    End covered{0, audit::kNoPrevious};
    if (before) {
      covered = before->covered;
      next.number = before->number + 1;
      next.previous = crypto::sha256_hex(before->jws);
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
      remember({record.number, record.jws, end});
      return record;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::object_not_unique || attempt == kAttempts) throw;
    }
  }
}

std::uint64_t Checkpoints::covered(Deadline deadline) {
  const std::optional<Seen> seen = last(deadline);
  return seen ? seen->covered.sequence : 0;
}

std::optional<Checkpoints::Seen> Checkpoints::last(Deadline deadline) {
  std::optional<Seen> seen;
  {
    const std::lock_guard lock(mutex_);
    seen = seen_;
  }
  std::optional<Seen> last;
  if (seen) {
    last = last_after(*seen, deadline);
    require_event(*seen);
  } else if (const auto record = journal_.last_checkpoint()) {
    const audit::Checkpoint checkpoint = read(*record);
    last = Seen{checkpoint.number, record->jws, {checkpoint.sequence, checkpoint.head}};
  }
  if (last) remember(*last);
  return last;
}

std::optional<Checkpoints::Seen> Checkpoints::last_after(const Seen& seen, Deadline deadline) {
  std::vector<store::CheckpointRecord> page = journal_.checkpoints(seen.number - 1, kPage);
  if (!page.empty()) read(page.front());  // that it is whole
  if (page.empty() || page.front().number != seen.number || page.front().jws != seen.jws) {
    refuse("checkpoint " + std::to_string(seen.number) + ", which this process knows, is not there any more");
  }
  page.erase(page.begin());
  Seen last = seen;
  while (!page.empty()) {
    for (const store::CheckpointRecord& record : page) {
      const audit::Checkpoint checkpoint = read(record);
      // Somebody else's: another process's, or one that whoever can write the database put there.
      if (checkpoint.number != last.number + 1 || checkpoint.previous != crypto::sha256_hex(last.jws) ||
          checkpoint.sequence <= last.covered.sequence || !key_.is_signed_by_ours(record.jws, deadline)) {
        refuse("checkpoint " + std::to_string(record.number) + " does not follow from the one before");
      }
      last = {checkpoint.number, record.jws, {checkpoint.sequence, checkpoint.head}};
    }
    page = journal_.checkpoints(last.number, kPage);
  }
  return last;
}

void Checkpoints::require_event(const Seen& seen) {
  const auto& [sequence, hash] = seen.covered;
  const std::vector<store::JournalLine> lines = journal_.lines(sequence - 1, 1);
  if (!lines.empty() && lines.front().sequence == sequence) {
    if (audit::hash_of(lines.front().line) == hash) return;
    refuse("event " + std::to_string(sequence) + " is not the one that checkpoint " + std::to_string(seen.number) +
           " was made of");
  }
  // Archived, and then what follows is held against the checkpoint; or cut off.
  if (!lines.empty() && journal_.first_sequence() > sequence) return;
  const store::JournalHead head = journal_.head();
  refuse("it ends at event " + std::to_string(head.sequence) + ", and not as checkpoint " +
         std::to_string(seen.number) + " says, which covers it up to event " + std::to_string(sequence));
}

void Checkpoints::remember(const Seen& seen) {
  const std::lock_guard lock(mutex_);
  if (!seen_ || seen_->number < seen.number) seen_ = seen;
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
