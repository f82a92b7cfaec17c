// Where a live copy of the journal goes: copy_file_sink, syslog_sink.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

// Used by one thread at a time.
class JournalSink {
 public:
  virtual ~JournalSink() = default;

  // For the log: "file", "syslog".
  virtual std::string name() const = 0;
  // Gets ready to take events, anew after every failure. Returns the sequence of the last event that is there; 0: none.
  // Throws Error when that cannot be told, or the place is not to be had.
  virtual std::uint64_t open(store::JournalStore& journal, Deadline deadline) = 0;
  // Hands over these events, which follow the last one. What it throws may come after some of them were taken:
  // open() tells which. Not called again before open() then.
  virtual void deliver(store::JournalStore& journal, const std::vector<store::JournalLine>& lines,
                       Deadline deadline) = 0;
};

}  // namespace hsmsigner::service
