#include <algorithm>
#include <fstream>
#include <memory>
#include <ostream>

#include "app/audit_commands.h"
#include "app/local_user.h"
#include "app/new_file.h"
#include "app/wiring.h"
#include "audit/journal_file.h"
#include "audit/verifier.h"
#include "base/error.h"
#include "crypto/running_digest.h"
#include "store/journal_reader.h"

namespace hsmsigner::app {
namespace {

constexpr std::size_t kPage = 500;
constexpr std::chrono::minutes kTimeout{10};  // to remove millions of events in one transaction

// The last checkpoint before that time.
std::optional<store::CheckpointRecord> last_before(store::JournalStore& journal, UnixMillis before) {
  std::optional<store::CheckpointRecord> found;
  for (std::uint64_t seen = 0;;) {
    const std::vector<store::CheckpointRecord> page = journal.checkpoints(seen, kPage);
    for (const store::CheckpointRecord& checkpoint : page) {
      if (checkpoint.time >= before) return found;
      found = checkpoint;
    }
    if (page.empty()) return found;
    seen = page.back().number;
  }
}

// Events that are gone cannot be copied any more.
void check_live_copy(const Settings& settings, store::JournalStore& journal, std::uint64_t last) {
  if (settings.audit.syslog.empty() || journal.copied("syslog") >= last) return;
  throw Error(ErrorKind::invalid_object, {"--before: audit.syslog has not had all of these events yet"})
      .with_help("Let the server run until it has, or take an earlier date.");
}

// Writes them and returns the SHA-256 of what was written.
std::string write_events(const Settings& settings, std::uint64_t first, std::uint64_t checkpoint, NewFile& file) {
  const store::JournalPart part{first > 1 ? std::optional(first - 1) : std::nullopt, checkpoint};
  const std::unique_ptr<audit::JournalSource> journal = store::open_journal(settings.store.path, part);
  crypto::RunningSha256 digest;
  while (const auto item = journal->next()) {
    const std::string line = audit::journal_file_line(*item);
    digest.add(line);
    file.write(line);
  }
  file.finish();
  return digest.hex();
}

// Throws unless the file is a journal that is intact from the first to the last of them.
void check_archive(const std::string& path, std::uint64_t first, const store::CheckpointRecord& checkpoint) {
  std::ifstream in(path, std::ios::binary);
  audit::JournalFileSource source(in, "the archive");
  audit::Verifier verifier({});
  verifier.read(source);
  const audit::Verdict verdict = verifier.finish();
  const bool complete = verdict.first == first && verdict.last == checkpoint.sequence && verdict.last_checkpoint &&
                        verdict.last_checkpoint->number == checkpoint.number;
  if (!verdict.problem && complete) return;
  throw Error(ErrorKind::internal_error, {"the events to archive are not intact, and stay where they are: " +
                                          (verdict.problem ? verdict.problem->what : "some are missing")})
      .with_help("`hsm-signer audit verify` says more.");
}

}  // namespace

void archive_journal(const Settings& settings, UnixMillis before, const std::string& output, std::ostream& out) {
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  store::JournalStore& journal = store->journal();
  const std::uint64_t first = journal.first_sequence();
  const std::optional<store::CheckpointRecord> checkpoint = last_before(journal, before);
  if (!checkpoint || first == 0 || checkpoint->sequence < first) {
    throw Error(ErrorKind::invalid_object,
                {"--before: no checkpoint before that time covers events that are still here"});
  }
  check_live_copy(settings, journal, checkpoint->sequence);

  NewFile file(output, "--output");
  const std::string sha256 = write_events(settings, first, checkpoint->number, file);
  check_archive(file.temporary_path(), first, *checkpoint);
  file.publish();

  audit::Event event{.kind = audit::EventKind::journal_archived, .origin = local_user()};
  event.details = {{audit::kArchivedFirst, std::to_string(first)},
                   {audit::kArchivedLast, std::to_string(checkpoint->sequence)},
                   {"checkpoint", std::to_string(checkpoint->number)},
                   {audit::kArchiveDigest, sha256}};
  journal.remove_archived(checkpoint->sequence, event, deadline_in(kTimeout));
  out << "events " << first << " to " << checkpoint->sequence << " are in the archive and no longer in the database\n"
      << "SHA-256 " << sha256 << '\n';
}

}  // namespace hsmsigner::app
