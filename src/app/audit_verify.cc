#include <unistd.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <utility>

#include "app/audit_commands.h"
#include "app/private_file.h"
#include "audit/journal_file.h"
#include "audit/verifier.h"
#include "base/error.h"
#include "crypto/public_key_info.h"
#include "store/journal_reader.h"

namespace hsmsigner::app {
namespace {

constexpr std::size_t kMostKeyOctets = 16 * 1024;
constexpr std::size_t kMostCheckpointOctets = 16 * 1024 * 1024;
constexpr std::uint64_t kProgressEvery = 100'000;

// Says on a terminal how far it has come.
class WatchedSource : public audit::JournalSource {
 public:
  explicit WatchedSource(audit::JournalSource& source) : source_(source), shown_(::isatty(STDERR_FILENO) == 1) {}
  ~WatchedSource() override {
    if (shown_ && items_ >= kProgressEvery) std::cerr << '\n';
  }

  std::optional<audit::JournalItem> next() override {
    if (++items_ % kProgressEvery == 0 && shown_) std::cerr << '\r' << items_ << " lines" << std::flush;
    return source_.next();
  }
  std::string place() const override { return source_.place(); }
  bool is_whole() const override { return source_.is_whole(); }

 private:
  audit::JournalSource& source_;
  const bool shown_;
  std::uint64_t items_ = 0;
};

std::string content_of(const std::string& path, const std::string& option, std::size_t most) {
  return std::string(read_file(path, option + ": the file", {Readable::by_anyone, most, ""}).view());
}

audit::VerifierOptions verifier_options(const AuditVerifyOptions& options) {
  audit::VerifierOptions made;
  for (const std::string& path : options.keys) {
    try {
      made.pinned_keys.push_back(crypto::public_key_from_pem(content_of(path, "--key", kMostKeyOctets)));
    } catch (const Error& error) {
      throw Error(error.kind(), {"--key: " + (error.details().empty() ? "is no key" : error.details().front())})
          .with_cause(path);
    }
  }
  for (const std::string& path : options.checkpoints) {
    std::istringstream lines(content_of(path, "--checkpoint", kMostCheckpointOctets));
    bool any = false;
    for (std::string line; std::getline(lines, line);) {
      if (line.ends_with('\r')) line.pop_back();
      if (line.empty()) continue;
      made.kept_checkpoints.push_back(std::move(line));
      any = true;
    }
    if (!any) throw Error(ErrorKind::invalid_object, {"--checkpoint: the file holds none"}).with_cause(path);
  }
  return made;
}

void read_file_into(audit::Verifier& verifier, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(ErrorKind::invalid_object, {"--from-file: the file cannot be opened"}).with_cause(path);
  audit::JournalFileSource file(in, path);
  WatchedSource source(file);
  verifier.read(source);
}

void read_database_into(audit::Verifier& verifier, const std::string& path) {
  const std::unique_ptr<audit::JournalSource> journal = store::open_journal(path);
  WatchedSource source(*journal);
  verifier.read(source);
}

std::string count_of(std::uint64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

void print_problem(const audit::Problem& problem, std::ostream& out) {
  out << "tampered: the first bad event is ";
  if (problem.until > problem.sequence)
    out << "one of events " << problem.sequence << " to " << problem.until;
  else
    out << "event " << problem.sequence;
  out << "\nbecause      " << problem.what << '\n';
  if (!problem.place.empty()) out << "found at     " << problem.place << '\n';
}

void print_checkpoints(const audit::Verdict& verdict, std::ostream& out) {
  out << "checkpoints  " << verdict.checkpoints;
  if (const auto& last = verdict.last_checkpoint) {
    out << ", the last is number " << last->number << " of " << date_time(last->time) << ", up to event "
        << last->sequence;
  }
  out << "\nuncovered    " << count_of(verdict.uncovered(), "event")
      << (verdict.uncovered() == 0 ? "" : " at the end, which no checkpoint vouches for yet") << '\n';
}

void print_keys(const audit::Verdict& verdict, std::ostream& out) {
  for (const audit::KeyUse& key : verdict.keys) {
    out << "key          " << key.id << ", SHA-256 " << key.fingerprint << ", "
        << count_of(key.checkpoints, "checkpoint") << '\n'
        << "             "
        << (key.pinned ? "given with --key\n"
                       : "trusted only as far as this journal, which names it: compare the SHA-256 with what you "
                         "noted, or give --key\n");
  }
}

void print_kept(const audit::Verdict& verdict, std::ostream& out) {
  if (verdict.kept_confirmed > 0) {
    out << "kept         " << count_of(verdict.kept_confirmed, "kept checkpoint") << " confirmed\n";
  }
  for (const std::uint64_t number : verdict.kept_unchecked) {
    out << "kept         checkpoint " << number
        << " CANNOT BE CHECKED: it covers only events before the first one here; give the archive as well\n";
  }
}

// Why nobody who was trusted from elsewhere stands for it; "": somebody does, or nobody was asked for.
std::string without_voucher(const AuditVerifyOptions& options, const audit::Verdict& verdict) {
  if ((!options.keys.empty() || !options.checkpoints.empty()) && verdict.checkpoints == 0) {
    return "no checkpoint in it is signed by a key that is trusted: anybody can have written it";
  }
  if (verdict.start_told != 0 && !verdict.start_vouched()) {
    return "event " + std::to_string(verdict.start_told) +
           ", which tells that the events before the first one were archived, is not vouched for yet by a checkpoint: "
           "whoever can write the database may have taken them out";
  }
  return "";
}

// False when the beginning was to be checked and is not.
bool print_start(const AuditVerifyOptions& options, const audit::Verdict& verdict, std::ostream& out) {
  if (verdict.first <= 1) return true;
  out << "before       events 1 to " << verdict.first - 1
      << (verdict.start_told != 0 ? " are archived: not checked here\n"
                                  : " are not here: not checked; a checkpoint vouches for them\n");
  if (!verdict.archive_sha256.empty()) out << "archive      SHA-256 " << verdict.archive_sha256 << '\n';
  if (options.part || verdict.kept_up_to >= verdict.first - 1) return true;
  out << "             give the archives with --from-file, a kept checkpoint with --checkpoint, or --part if they are "
         "checked elsewhere\n";
  return false;
}

}  // namespace

int verify_journal(const AuditVerifyOptions& options, std::ostream& out) {
  audit::Verifier verifier(verifier_options(options));
  for (const std::string& path : options.files) read_file_into(verifier, path);
  if (!options.database.empty()) read_database_into(verifier, options.database);
  const audit::Verdict verdict = verifier.finish();
  if (verdict.problem) {
    print_problem(*verdict.problem, out);
    return kExitTampered;
  }
  if (verdict.last == 0) {
    throw Error(ErrorKind::invalid_object, {"there is no event: this is no journal yet, or nothing is left of it"});
  }
  const std::string unvouched = without_voucher(options, verdict);
  if (unvouched.empty())
    out << "intact\n";
  else
    out << "NOT VOUCHED FOR\nbecause      " << unvouched << '\n';
  out << "events       " << verdict.first << " to " << verdict.last << '\n';
  const bool start_checked = print_start(options, verdict, out);
  print_checkpoints(verdict, out);
  print_kept(verdict, out);
  print_keys(verdict, out);
  return unvouched.empty() && start_checked && verdict.kept_unchecked.empty() ? kExitIntact : kExitUnreadable;
}

}  // namespace hsmsigner::app
