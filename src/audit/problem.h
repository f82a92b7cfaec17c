// What is wrong with a journal: the first thing that is.
#pragma once

#include <cstdint>
#include <string>

namespace hsmsigner::audit {

enum class Fault {
  not_canonical,          // a line is none that this program writes
  columns_differ,         // what the database keeps beside a line says something else than the line
  events_missing,         // a sequence number is left out
  event_repeated,         // a sequence number is there twice
  chain_broken,           // an event does not follow the one before it
  start_unfounded,        // the first event is not number 1, nor does it follow what a checkpoint vouches for
  archive_untold,         // events are gone, and no event tells that they were archived
  checkpoint_differs,     // a checkpoint vouches for another event than the one that is there
  checkpoint_unreadable,  // no checkpoint at all
  checkpoint_misplaced,   // it does not stand behind the event that it covers
  checkpoints_broken,     // a checkpoint does not follow the one before it
  signature_bad,          // a checkpoint is not signed by the key that it names
  key_unknown,            // a checkpoint is signed by a key that is not trusted
  key_contradicted,       // one key id, two keys
  key_untold,             // no event tells of the making of a key that has signed a checkpoint
  key_unreadable,         // no public key
  tail_cut,               // the journal is shorter than a checkpoint tells
  kept_differs,           // a checkpoint that was kept elsewhere is another than the journal's own of that number
};

struct Problem {
  Fault fault;
  // The first bad event; where that cannot be told exactly, it is one from `sequence` to `until`.
  std::uint64_t sequence = 0;
  std::uint64_t until = 0;
  std::string what;   // one sentence
  std::string place;  // JournalSource::place(); "" when it is about no single place
};

}  // namespace hsmsigner::audit
