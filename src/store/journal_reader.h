// A database's journal, read from the outside: to verify it, to export it. Neither makes nor changes anything in the
// database, and brings no schema forward; a server may run beside it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "audit/journal_source.h"

namespace hsmsigner::store {

// Which part of the journal.
struct JournalPart {
  // Events after this one, and of the checkpoints before the first event only the one that covers up to here.
  std::optional<std::uint64_t> after;
  // Ends with the checkpoint of this number.
  std::optional<std::uint64_t> until_checkpoint;
};

// All that is read is of one moment. Throws Error{invalid_object} with a public sentence when there is no such file, it
// is not a database of this program, or it has no journal; reading throws Error{internal_error} when the database
// fails.
std::unique_ptr<audit::JournalSource> open_journal(const std::string& path, const JournalPart& part = {});

}  // namespace hsmsigner::store
