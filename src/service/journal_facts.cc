#include "service/journal_facts.h"

#include <algorithm>
#include <charconv>

#include "audit/event_line.h"
#include "audit/verifier.h"
#include "base/error.h"

namespace hsmsigner::service {
namespace {

// A source that ends with an Error when it takes too long.
class Timed : public audit::JournalSource {
 public:
  Timed(audit::JournalSource& source, Deadline deadline) : source_(source), deadline_(deadline) {}
  std::optional<audit::JournalItem> next() override {
    if (++read_ % 1024 == 0 && std::chrono::steady_clock::now() > deadline_) {
      throw Error(ErrorKind::session_timeout, {"the journal is longer than could be verified in time"});
    }
    return source_.next();
  }
  std::string place() const override { return source_.place(); }
  bool is_whole() const override { return source_.is_whole(); }

 private:
  audit::JournalSource& source_;
  const Deadline deadline_;
  std::uint64_t read_ = 0;
};

report::JournalCheck check_of(const audit::Verdict& verdict) {
  report::JournalCheck check;
  check.intact = !verdict.problem;
  check.from = verdict.first;
  check.to = verdict.last;
  if (verdict.problem) {
    const audit::Problem& problem = *verdict.problem;
    check.finding = problem.until > problem.sequence
                        ? "Events " + std::to_string(problem.sequence) + " to " + std::to_string(problem.until)
                        : "Event " + std::to_string(problem.sequence);
    check.finding += ": " + problem.what;
  }
  return check;
}

std::string detail(const audit::Event& event, std::string_view name) {
  const auto found = std::ranges::find(event.details, name, &std::pair<std::string, std::string>::first);
  return found == event.details.end() ? "" : found->second;
}

std::optional<report::LastReport> last_report(store::JournalStore& journal) {
  const auto line = journal.last_of(audit::EventKind::report_made);
  const auto event = line ? audit::parse_line(line->line) : std::nullopt;
  if (!event) return std::nullopt;
  report::LastReport last;
  last.event = event->sequence;
  last.at = event->time;
  last.head = detail(event->event, kReportedHead);
  const std::string sequence = detail(event->event, kReportedSequence);
  std::from_chars(sequence.data(), sequence.data() + sequence.size(), last.sequence);
  if (last.sequence == 0) return last;
  last.is_archived = last.sequence < journal.first_sequence();
  const auto stated = journal.lines(last.sequence - 1, 1);
  last.head_is_unchanged =
      !stated.empty() && stated.front().sequence == last.sequence && audit::hash_of(stated.front().line) == last.head;
  return last;
}

}  // namespace

report::JournalFacts journal_facts(store::JournalStore& journal,
                                   const std::function<std::unique_ptr<audit::JournalSource>()>& open,
                                   Deadline deadline) {
  report::JournalFacts facts;
  facts.first = journal.first_sequence();
  const store::JournalHead head = journal.head();
  facts.sequence = head.sequence;
  facts.head = head.hash;
  facts.last_report = last_report(journal);
  if (const auto checkpoint = journal.last_checkpoint()) {
    facts.last_checkpoint = report::CheckpointFacts{checkpoint->number, checkpoint->sequence, checkpoint->time};
    facts.checkpoints = checkpoint->number;
  }
  if (!open) return facts;
  const std::unique_ptr<audit::JournalSource> source = open();
  Timed timed(*source, deadline);
  audit::Verifier verifier({});
  verifier.read(timed);
  const audit::Verdict verdict = verifier.finish();
  facts.check = check_of(verdict);
  facts.checkpoints = verdict.checkpoints;
  // Of one moment: what was verified is what the report states.
  if (!verdict.problem) {
    facts.first = verdict.first;
    facts.sequence = verdict.last;
    facts.head = verdict.head;
  }
  return facts;
}

}  // namespace hsmsigner::service
