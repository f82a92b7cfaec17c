// The live copy in a file: the canonical lines (audit/event_line.h), one after the other, as JSON Lines.
#pragma once

#include <string>

#include "base/file_descriptor.h"
#include "service/journal_sink.h"

namespace hsmsigner::service {

// The file is of mode 0600 and holds everything that the journal held since it was begun: a new or empty one begins
// with the oldest event still in the journal. Every batch is on the disk before the next is read. After a crash a last
// line that is not complete is cut off, and the copy goes on after the last complete one: no event is there twice, and
// none is missing. One process at a time has it.
class CopyFileSink : public JournalSink {
 public:
  explicit CopyFileSink(std::string path) : path_(std::move(path)) {}

  std::string name() const override { return "file"; }
  // Throws Error{invalid_object}, "audit.copy_file: …": it cannot be opened, is no regular file, others may read it,
  // another process has it, or its last line is not an event of this journal.
  std::uint64_t open(store::JournalStore& journal, Deadline deadline) override;
  // Throws likewise when the file was moved, replaced or changed by others, or the disk is full.
  void deliver(store::JournalStore& journal, const std::vector<store::JournalLine>& lines, Deadline deadline) override;

 private:
  void require_unchanged() const;

  const std::string path_;
  FileDescriptor file_{-1};
  std::uint64_t size_ = 0;  // octets, as this object left it
};

}  // namespace hsmsigner::service
