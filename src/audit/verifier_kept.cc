// The part of the verifier that compares with what was kept elsewhere, and what is asked at the end.
#include <algorithm>
#include <string>
#include <utility>

#include "audit/verifier.h"

namespace hsmsigner::audit {
namespace {

std::string kept_number(const Checkpoint& checkpoint) {
  return "the kept checkpoint " + std::to_string(checkpoint.number);
}

}  // namespace

bool Verifier::is_trusted(const Kept& kept) {
  const auto read = keys_.read(kept.jws);
  const auto* refusal = std::get_if<Refusal>(&read);
  return refusal == nullptr ||
         refuse(refusal->fault, kept.checkpoint.sequence, kept_number(kept.checkpoint) + " " + refusal->why, "");
}

bool Verifier::agrees_with_kept(std::uint64_t sequence, const std::string& hash, const std::string& place) {
  const auto [begin, end] = kept_.equal_range(sequence);
  for (auto kept = begin; kept != end; ++kept) {
    if (!is_trusted(kept->second)) return false;
    if (kept->second.checkpoint.head != hash) {
      return refuse(Fault::checkpoint_differs, since_last_checkpoint(sequence),
                    kept_number(kept->second.checkpoint) + " vouches for another event " + std::to_string(sequence) +
                        " than the one here",
                    place);
    }
    kept->second.confirmed = true;
  }
  return true;
}

bool Verifier::is_the_kept_one(const CheckpointItem& item, const Checkpoint& checkpoint, const JournalSource& source) {
  if (!kept_numbers_.contains(checkpoint.number)) return true;
  for (auto& [sequence, kept] : kept_) {
    if (kept.checkpoint.number != checkpoint.number) continue;
    if (!is_trusted(kept)) return false;
    if (kept.jws != item.jws) {
      return refuse(Fault::kept_differs, checkpoint.sequence,
                    kept_number(kept.checkpoint) + " is another than the journal's of that number", source.place());
    }
    kept.confirmed = true;
  }
  return true;
}

void Verifier::end_of(const JournalSource& source) {
  if (verdict_.first == 0 && verdict_.last_checkpoint) {
    refuse(Fault::tail_cut, expected(),
           "checkpoint " + std::to_string(verdict_.last_checkpoint->number) + " vouches for event " +
               std::to_string(verdict_.last_checkpoint->sequence) + ", and there is no event",
           "");
  } else if (source.is_whole() && first_here_ > 1 && !told_here_) {
    refuse(Fault::archive_untold, std::pair<std::uint64_t, std::uint64_t>{1, first_here_ - 1},
           "the events before event " + std::to_string(first_here_) +
               " are not here, and no event tells that they were archived",
           "");
  }
}

Verdict Verifier::finish() {
  for (const auto& [sequence, kept] : kept_) {
    if (verdict_.problem) break;
    if (!kept.confirmed && !is_trusted(kept)) break;
    if (kept.confirmed) {
      ++verdict_.kept_confirmed;
      verdict_.kept_up_to = std::max(verdict_.kept_up_to, sequence);
    } else if (sequence > verdict_.last) {
      refuse(Fault::tail_cut, expected(),
             kept_number(kept.checkpoint) + " vouches for event " + std::to_string(sequence) +
                 ", and the journal ends at event " + std::to_string(verdict_.last) +
                 ": its end was cut off, or this is an older state of it",
             "");
    } else {
      verdict_.kept_unchecked.push_back(kept.checkpoint.number);
    }
  }
  verdict_.keys = keys_.uses();
  return verdict_;
}

}  // namespace hsmsigner::audit
