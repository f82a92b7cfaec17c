#include "audit/verifier.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/jws.h"

namespace hsmsigner::audit {
namespace {

using Range = std::pair<std::uint64_t, std::uint64_t>;

std::string event_number(std::uint64_t sequence) { return "event " + std::to_string(sequence); }
std::string checkpoint_number(const Checkpoint& checkpoint) {
  return "checkpoint " + std::to_string(checkpoint.number);
}

bool is(std::int64_t column, std::uint64_t value) { return column >= 0 && static_cast<std::uint64_t>(column) == value; }

// The name of the first column that says something else than the line; "" when there is none.
std::string_view differing_column(const EventColumns& columns, const ChainedEvent& event, const std::string& hash) {
  if (!is(columns.sequence, event.sequence)) return "sequence";
  if (columns.time != event.time.time_since_epoch().count()) return "time";
  if (columns.kind != info(event.event.kind).name) return "kind";
  if (columns.account != event.event.origin.account) return "account";
  if (columns.object != event.event.object) return "object";
  if (columns.hash != hash) return "hash";
  return "";
}

bool agree(const CheckpointColumns& columns, const Checkpoint& checkpoint) {
  return is(columns.number, checkpoint.number) && is(columns.sequence, checkpoint.sequence) &&
         columns.time == checkpoint.time.time_since_epoch().count();
}

bool tells_of_archive_up_to(const ChainedEvent& event, std::uint64_t sequence) {
  const auto& details = event.event.details;
  return event.event.kind == EventKind::journal_archived &&
         std::find(details.begin(), details.end(), std::pair(std::string(kArchivedLast), std::to_string(sequence))) !=
             details.end();
}

// "" unless it has the form of one: anybody may have written the event.
std::string archive_digest(const ChainedEvent& event) {
  for (const auto& [name, value] : event.event.details) {
    if (name == kArchiveDigest && value.size() == 64 &&
        value.find_first_not_of("0123456789abcdef") == std::string::npos) {
      return value;
    }
  }
  return "";
}

}  // namespace

Verifier::Verifier(VerifierOptions options) : keys_(std::move(options.pinned_keys)) {
  for (std::string& jws : options.kept_checkpoints) {
    const crypto::Jws opened = crypto::read_jws(jws);
    std::optional<Checkpoint> checkpoint = parse_checkpoint(opened.payload);
    if (opened.type != kCheckpointType || !checkpoint) {
      throw Error(ErrorKind::invalid_object, {"a kept checkpoint is no checkpoint"});
    }
    const std::uint64_t sequence = checkpoint->sequence;
    kept_numbers_.insert(checkpoint->number);
    kept_.emplace(sequence, Kept{std::move(jws), *std::move(checkpoint)});
  }
}

void Verifier::read(JournalSource& source) {
  chain_.reset();
  first_here_ = 0;
  told_here_ = false;
  while (!verdict_.problem) {
    const std::optional<JournalItem> item = source.next();
    if (!item) break;
    std::visit([&](const auto& what) { take(what, source); }, *item);
  }
  if (!verdict_.problem) end_of(source);
  first_source_ = false;
}

void Verifier::take(const AuditKeyItem& item, JournalSource& source) {
  if (const auto refusal = keys_.add(item)) refuse(refusal->fault, expected(), refusal->why, source.place());
}

void Verifier::take(const EventItem& item, JournalSource& source) {
  const std::string place = source.place();
  const std::optional<ChainedEvent> event = parse_line(item.line);
  if (!event) {
    refuse(Fault::not_canonical, expected(), event_number(expected()) + " is no line that this program writes", place);
    return;
  }
  const std::string hash = hash_of(item.line);
  if (item.columns) {
    if (const std::string_view column = differing_column(*item.columns, *event, hash); !column.empty()) {
      refuse(Fault::columns_differ, expected(),
             "the column " + std::string(column) + " beside " + event_number(expected()) +
                 " says something else than the event",
             place);
      return;
    }
  }
  if (!stands_in_order(*event, hash, source)) return;
  if (event->event.kind == EventKind::audit_key_made) {
    if (const auto refusal = keys_.take_making(event->event)) {
      refuse(refusal->fault, event->sequence, refusal->why, place);
      return;
    }
  }
  if (first_here_ == 0) first_here_ = event->sequence;
  if (verdict_.first == 0) verdict_.first = event->sequence;
  verdict_.last = event->sequence;
  verdict_.head = hash;
  before_head_ = event->previous;
  if (tells_of_archive_up_to(*event, first_here_ - 1)) told_here_ = true;
  if (verdict_.start_told == 0 && verdict_.first > 1 && tells_of_archive_up_to(*event, verdict_.first - 1)) {
    verdict_.start_told = event->sequence;
    verdict_.archive_sha256 = archive_digest(*event);
  }
  agrees_with_kept(event->sequence, hash, place);
}

std::uint64_t Verifier::expected() const {
  if (verdict_.first != 0) return verdict_.last + 1;
  return verdict_.last_checkpoint ? verdict_.last_checkpoint->sequence + 1 : 1;
}

bool Verifier::stands_in_order(const ChainedEvent& event, const std::string& hash, JournalSource& source) {
  if (verdict_.first == 0) return begins_well(event, source);
  if (first_here_ == 0 && chain_ && chain_->number < link_.number) {
    return refuse(Fault::checkpoints_broken, expected(), "checkpoints before the first event here are left out",
                  source.place());
  }
  if (event.sequence == expected()) return follows(event, hash, source);
  if (event.sequence == verdict_.last && event.previous == before_head_) {
    return refuse(Fault::event_repeated, event.sequence, event_number(event.sequence) + " is there twice",
                  source.place());
  }
  return refuse(Fault::events_missing, expected(),
                event_number(event.sequence) + " stands where " + event_number(expected()) + " must be",
                source.place());
}

bool Verifier::begins_well(const ChainedEvent& event, const JournalSource& source) {
  const std::string& place = source.place();
  if (!verdict_.last_checkpoint) {
    if (event.sequence == 1 && event.previous == kNoPrevious) return true;
    return refuse(Fault::start_unfounded, expected(),
                  event.sequence == 1 ? "the first event names one before it"
                                      : "the journal begins at " + event_number(event.sequence) +
                                            ", and no checkpoint vouches for those before it",
                  place);
  }
  const Checkpoint& start = *verdict_.last_checkpoint;
  if (event.sequence != expected()) {
    return refuse(Fault::events_missing, expected(),
                  event_number(event.sequence) + " stands where " + event_number(expected()) +
                      " must be, the first after " + checkpoint_number(start),
                  place);
  }
  if (event.previous != start.head) {
    return refuse(Fault::start_unfounded, event.sequence,
                  "the first event does not follow the one that " + checkpoint_number(start) + " vouches for", place);
  }
  return agrees_with_kept(start.sequence, start.head, place);
}

// When two events do not fit together, one of them was changed: what comes after the second tells which.
bool Verifier::follows(const ChainedEvent& event, const std::string& hash, JournalSource& source) {
  if (event.previous == verdict_.head) return true;
  const std::string place = source.place();
  const bool first_is_sure = verdict_.last_checkpoint && verdict_.last_checkpoint->sequence == verdict_.last;
  const bool second_is_sure = !first_is_sure && is_confirmed_by_next(event, hash, source);
  return refuse(Fault::chain_broken, second_is_sure ? verdict_.last : event.sequence,
                event_number(event.sequence) + " does not follow " + event_number(verdict_.last) +
                    " as it stands here: " + event_number(second_is_sure ? verdict_.last : event.sequence) +
                    " was changed",
                place);
}

bool Verifier::is_confirmed_by_next(const ChainedEvent& event, const std::string& hash, JournalSource& source) const {
  const std::optional<JournalItem> next = source.next();
  if (!next) return false;
  if (const auto* item = std::get_if<EventItem>(&*next)) {
    const std::optional<ChainedEvent> after = parse_line(item->line);
    return after && after->sequence == event.sequence + 1 && after->previous == hash;
  }
  const auto* item = std::get_if<CheckpointItem>(&*next);
  if (item == nullptr) return false;
  const auto read = keys_.read(item->jws);
  const auto* taken = std::get_if<SignedCheckpoint>(&read);
  return taken != nullptr && taken->checkpoint.sequence == event.sequence && taken->checkpoint.head == hash;
}

void Verifier::take(const CheckpointItem& item, JournalSource& source) {
  const auto read = keys_.read(item.jws);
  const std::uint64_t covered = verdict_.first != 0 ? verdict_.last : expected() - 1;
  if (const auto* refusal = std::get_if<Refusal>(&read)) {
    refuse(refusal->fault, covered, "the checkpoint behind " + event_number(covered) + " " + refusal->why,
           source.place());
    return;
  }
  const SignedCheckpoint& taken = std::get<SignedCheckpoint>(read);
  const Checkpoint& checkpoint = taken.checkpoint;
  // Where the beginning is not here, the event may be in an archive.
  if (verdict_.first == 1 && !keys_.is_founded(taken.signer)) {
    refuse(Fault::key_untold, covered,
           checkpoint_number(checkpoint) + " is signed by key " + taken.signer.id + ", of whose making no event tells",
           source.place());
    return;
  }
  if (item.columns && !agree(*item.columns, checkpoint)) {
    refuse(Fault::columns_differ, covered,
           "the columns beside " + checkpoint_number(checkpoint) + " say something else than the checkpoint",
           source.place());
    return;
  }
  const std::string hash = crypto::sha256_hex(item.jws);
  if (!continues_checkpoints(checkpoint, hash, source) || !stands_behind_its_event(checkpoint, source) ||
      !is_the_kept_one(item, checkpoint, source)) {
    return;
  }
  chain_ = Link{checkpoint.number, hash};
  if (checkpoint.number <= link_.number) return;  // seen in an earlier source
  link_ = *chain_;
  ++verdict_.checkpoints;
  verdict_.last_checkpoint = checkpoint;
  keys_.count(taken);
}

bool Verifier::continues_checkpoints(const Checkpoint& checkpoint, const std::string& hash,
                                     const JournalSource& source) {
  const auto broken = [&](const std::string& what) {
    return refuse(Fault::checkpoints_broken, checkpoint.sequence, checkpoint_number(checkpoint) + " " + what,
                  source.place());
  };
  if ((checkpoint.number == 1) != (checkpoint.previous == kNoPrevious)) return broken("has no right predecessor");
  // Behind an archive, they may begin with any; before the first event of a later source, with one that was seen.
  const bool may_begin = !chain_ && first_here_ == 0 && (first_source_ || checkpoint.number <= link_.number);
  if (!may_begin) {
    const Link before = chain_ ? *chain_ : link_;
    if (checkpoint.number != before.number + 1) {
      return broken("stands where checkpoint " + std::to_string(before.number + 1) + " must be");
    }
    if (before.number != 0 && checkpoint.previous != before.hash) return broken("does not follow the one before it");
  }
  if (checkpoint.number == link_.number && hash != link_.hash) return broken("is another than the one seen before");
  return true;
}

bool Verifier::stands_behind_its_event(const Checkpoint& checkpoint, JournalSource& source) {
  const std::string place = source.place();
  if (verdict_.first == 0) {  // its events are archived
    if (!verdict_.last_checkpoint || checkpoint.sequence >= verdict_.last_checkpoint->sequence) return true;
  } else if (checkpoint.sequence > verdict_.last) {
    return refuse(Fault::tail_cut, verdict_.last + 1,
                  checkpoint_number(checkpoint) + " vouches for " + event_number(checkpoint.sequence) +
                      ", and no further one follows " + event_number(verdict_.last),
                  place);
  } else if (first_here_ == 0 && checkpoint.number <= link_.number) {
    return true;  // seen in an earlier source, of which this one is the continuation
  } else if (checkpoint.sequence == verdict_.last) {
    if (checkpoint.head == verdict_.head) return true;
    Range range = since_last_checkpoint(verdict_.last);
    const std::optional<JournalItem> next = source.next();
    const auto* item = next ? std::get_if<EventItem>(&*next) : nullptr;
    const std::optional<ChainedEvent> after = item != nullptr ? parse_line(item->line) : std::nullopt;
    // Two witnesses against the event itself.
    if (after && after->previous == checkpoint.head) range.first = range.second;
    return refuse(Fault::checkpoint_differs, range,
                  checkpoint_number(checkpoint) + " vouches for another " + event_number(checkpoint.sequence) +
                      " than the one here",
                  place);
  }
  return refuse(Fault::checkpoint_misplaced, checkpoint.sequence,
                checkpoint_number(checkpoint) + " does not stand behind " + event_number(checkpoint.sequence), place);
}

Range Verifier::since_last_checkpoint(std::uint64_t until) const {
  const std::uint64_t covered = verdict_.last_checkpoint ? verdict_.last_checkpoint->sequence : 0;
  return {std::min(covered + 1, until), until};
}

bool Verifier::refuse(Fault fault, std::uint64_t sequence, std::string what, const std::string& place) {
  return refuse(fault, Range{sequence, sequence}, std::move(what), place);
}

bool Verifier::refuse(Fault fault, Range range, std::string what, const std::string& place) {
  if (!verdict_.problem) verdict_.problem = Problem{fault, range.first, range.second, std::move(what), place};
  return false;
}

}  // namespace hsmsigner::audit
