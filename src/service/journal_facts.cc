#include "service/journal_facts.h"

#include <algorithm>
#include <charconv>

#include "audit/event_line.h"
#include "audit/verifier.h"
#include "base/error.h"
#include "crypto/public_key_info.h"
#include "service/own_keys.h"

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

report::KeyAnswer answer_of(const TokenSet& tokens, const std::vector<store::AuditKeyRecord>& records,
                            const std::string& kid, const std::string& fingerprint, Deadline deadline) {
  for (const store::AuditKeyRecord& record : records) {
    if (record.id.to_string() != kid) continue;
    const auto key = public_key_of(record);
    // Another than the one that verified, or signs: the row was changed.
    if (!key || crypto::public_key_fingerprint(*key) != fingerprint) return report::KeyAnswer::another;
    return service::answer_of(tokens, record.id, *key, deadline);
  }
  return report::KeyAnswer::another;
}

// The keys that signed what was verified, and the one that signs now.
std::vector<report::CheckpointKey> keys_of(const JournalSources& sources, const audit::Verdict& verdict,
                                           const std::optional<store::AuditKeyRecord>& signer, Deadline deadline) {
  std::vector<report::CheckpointKey> keys;
  std::vector<store::AuditKeyRecord> records = sources.journal.audit_keys();
  const std::string now = signer ? signer->id.to_string() : "";
  bool now_is_there = false;
  const auto add = [&](const std::string& id, const std::string& fingerprint) -> report::CheckpointKey& {
    report::CheckpointKey& key = keys.emplace_back();
    key.id = id;
    key.fingerprint = fingerprint;
    key.signs_now = id == now;
    key.answer = answer_of(sources.tokens, records, id, fingerprint, deadline);
    now_is_there = now_is_there || key.signs_now;
    return key;
  };
  for (const audit::KeyUse& use : verdict.keys) {
    report::CheckpointKey& key = add(use.id, use.fingerprint);
    key.checkpoints = use.checkpoints;
    if (use.last) key.covers = use.last->sequence;
  }
  if (signer && !now_is_there) {
    add(now, crypto::public_key_fingerprint(crypto::public_key_from_pem(signer->public_key_pem)));
  }
  return keys;
}

// The last one of those keys that answer.
std::optional<report::CheckpointFacts> last_checkpoint(const audit::Verdict& verdict,
                                                       const std::vector<report::CheckpointKey>& keys) {
  std::optional<report::CheckpointFacts> last;
  for (const audit::KeyUse& use : verdict.keys) {
    const auto key = std::ranges::find(keys, use.id, &report::CheckpointKey::id);
    if (!use.last || key == keys.end() || key->answer != report::KeyAnswer::answers) continue;
    if (!last || use.last->number > last->number) {
      last = report::CheckpointFacts{use.last->number, use.last->sequence, use.last->time};
    }
  }
  return last;
}

std::uint64_t making_of(store::JournalStore& journal, const store::AuditKeyRecord& key) {
  store::JournalFilter filter;
  filter.kind = audit::EventKind::audit_key_made;
  filter.object = key.id.to_string();
  const auto lines = journal.find(filter, 0, 1);
  return lines.empty() ? 0 : lines.front().sequence;
}

// For how long the oldest event after this one has waited.
std::chrono::seconds waiting_since(store::JournalStore& journal, std::uint64_t covered, UnixMillis now) {
  const auto lines = journal.lines(covered, 1);
  const auto event = lines.empty() ? std::nullopt : audit::parse_line(lines.front().line);
  if (!event || event->time > now) return std::chrono::seconds(0);
  return std::chrono::floor<std::chrono::seconds>(now - event->time);
}

}  // namespace

report::JournalFacts journal_facts(const JournalSources& sources, const std::optional<store::AuditKeyRecord>& signer,
                                   const std::function<UnixMillis()>& clock, Deadline deadline) {
  store::JournalStore& journal = sources.journal;
  report::JournalFacts facts;
  facts.first = journal.first_sequence();
  const store::JournalHead head = journal.head();
  facts.sequence = head.sequence;
  facts.head = head.hash;
  facts.last_report = last_report(journal);
  if (!sources.open) return facts;
  const std::unique_ptr<audit::JournalSource> source = sources.open();
  const UnixMillis now = clock();
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
  facts.keys = keys_of(sources, verdict, signer, deadline);
  if (signer) facts.key_made = making_of(journal, *signer);
  facts.last_checkpoint = last_checkpoint(verdict, facts.keys);
  const std::uint64_t covered = facts.last_checkpoint ? facts.last_checkpoint->sequence : 0;
  if (covered < facts.sequence) facts.waiting = waiting_since(journal, covered, now);
  return facts;
}

}  // namespace hsmsigner::service
