#include <algorithm>

#include "report/controls.h"
#include "report/judgements.h"

namespace hsmsigner::report {

namespace {

// A checkpoint may be under way, or be tried again.
constexpr unsigned kSlack = 2;

std::string name_of(const CheckpointKey& key) {
  return "Key " + key.id + " (SHA-256 " + key.fingerprint + (key.signs_now ? ", which signs now)" : ")");
}

struct KeyJudgement {
  Verdict verdict;
  std::string sentence;
};

KeyJudgement judge_key(const CheckpointKey& key, const JournalFacts& journal) {
  const std::string signed_some =
      name_of(key) + " has signed " + counted(key.checkpoints, "checkpoint", "checkpoints") + " here; ";
  switch (key.answer) {
    case KeyAnswer::answers: return {Verdict::pass, signed_some + "it is in the token and answered a challenge."};
    case KeyAnswer::another:
      return {Verdict::fail, signed_some + "the token has another key under its id, or several."};
    case KeyAnswer::absent: break;
  }
  // A key that is lost signs nothing after its successor was made.
  if (journal.key_made > 0 && key.covers >= journal.key_made) {
    return {Verdict::fail, signed_some + "it is not in the token, and they vouch for events up to " +
                               number(key.covers) + ", although event " + number(journal.key_made) +
                               " tells of the making of the key that signs now."};
  }
  return {key.signs_now ? Verdict::fail : Verdict::attention,
          signed_some + "it is not in the token any more: its checkpoints cannot be vouched for by this token."};
}

// What is said of the checkpoints when the chain holds.
void judge_keys(const JournalFacts& journal, Judgement& judgement) {
  if (journal.checkpoints == 0) {
    judgement.evidence.push_back("No checkpoint vouches for it.");
  }
  for (const CheckpointKey& key : journal.keys) {
    KeyJudgement each = judge_key(key, journal);
    if (each.verdict == Verdict::fail || judgement.verdict == Verdict::pass) judgement.verdict = each.verdict;
    judgement.evidence.push_back(std::move(each.sentence));
  }
}

}  // namespace

Judgement role_separation(const Facts& facts) {
  std::size_t grave = 0;
  std::size_t light = 0;
  std::size_t active = 0;
  Judgement judgement;
  for (const AccountFacts& account : facts.accounts) {
    if (!account.active()) continue;
    ++active;
    for (const Conflict& conflict : conflicts_of(account)) {
      ++(conflict.grave ? grave : light);
    }
  }
  judgement.figures = {{"active_accounts", active}, {"grave_conflicts", grave}, {"other_conflicts", light}};
  if (active == 0) {
    judgement.evidence = {"There is no active account."};
    return judgement;
  }
  judgement.evidence = {counted(active, "account is", "accounts are") + " active. " +
                        counted(grave, "pair of roles lets", "pairs of roles let") +
                        " an account act and audit what it did; " +
                        counted(light, "other pair should", "other pairs should") + " be in two hands."};
  judgement.verdict = grave > 0 ? Verdict::fail : attention_if(light > 0);
  return judgement;
}

Judgement account_secrets(const Facts& facts) {
  const auto initial = static_cast<std::uint64_t>(std::ranges::count_if(
      facts.accounts, [](const AccountFacts& account) { return account.active() && account.secret_initial; }));
  Judgement judgement;
  judgement.figures = {{"accounts", facts.accounts.size()}, {"initial_secrets", initial}};
  if (facts.accounts.empty()) {
    judgement.evidence = {"There is no account."};
    return judgement;
  }
  judgement.evidence = {counted(initial, "active account has", "active accounts have") +
                        " a secret that an administrator has seen. Nothing but its rotation is open to them."};
  judgement.verdict = attention_if(initial > 0);
  return judgement;
}

Judgement journal_integrity(const Facts& facts) {
  const JournalFacts& journal = facts.journal;
  Judgement judgement;
  judgement.figures = {{"first_event", journal.first}, {"last_event", journal.sequence}};
  judgement.verdict = Verdict::attention;
  if (!journal.check) {
    judgement.evidence = {"The journal was not verified for this report."};
  } else if (!journal.check->intact) {
    judgement.verdict = Verdict::fail;
    judgement.evidence = {journal.check->finding};
  } else {
    judgement.verdict = Verdict::pass;
    judgement.evidence = {
        "The chain of events " + number(journal.check->from) + " to " + number(journal.check->to) + " is intact" +
        (journal.checkpoints == 0
             ? "."
             : ", and " + counted(journal.checkpoints, "checkpoint", "checkpoints") + " in it verify.")};
    judge_keys(journal, judgement);
  }
  if (!journal.last_report) {
    judgement.evidence.push_back("No earlier report is recorded: this one is the first.");
    return judgement;
  }
  const LastReport& last = *journal.last_report;
  const std::string what =
      "The report of " + date_time(last.at) + " stated event " + number(last.sequence) + " as the last";
  if (last.is_archived) {
    judgement.evidence.push_back(what + ". It has been archived since.");
    if (judgement.verdict == Verdict::pass) judgement.verdict = Verdict::attention;
  } else if (last.head_is_unchanged) {
    judgement.evidence.push_back(what + "; it has the same hash today.");
  } else {
    judgement.evidence.push_back(what + "; it has another hash today.");
    judgement.verdict = Verdict::fail;
  }
  return judgement;
}

Judgement checkpoints(const Facts& facts) {
  const JournalFacts& journal = facts.journal;
  Judgement judgement;
  judgement.figures = {{"checkpoints", journal.checkpoints}};
  judgement.verdict = Verdict::attention;
  if (!journal.refusal.empty()) {
    judgement.evidence.push_back("No checkpoint could be made for this report: " + journal.refusal + ".");
  }
  if (!journal.last_checkpoint) {
    judgement.figures.push_back({"events_since", journal.sequence});
    judgement.figures.push_back({"seconds_waiting", static_cast<std::uint64_t>(journal.waiting.count())});
    judgement.evidence.push_back(journal.checkpoints == 0
                                     ? "There is no checkpoint: the journal could be cut off or written anew unnoticed."
                                     : "No checkpoint is by a key that answered a challenge.");
    return judgement;
  }
  const CheckpointFacts& last = *journal.last_checkpoint;
  const std::uint64_t behind = journal.sequence > last.sequence ? journal.sequence - last.sequence : 0;
  judgement.figures.push_back({"events_since", behind});
  judgement.figures.push_back({"seconds_waiting", static_cast<std::uint64_t>(journal.waiting.count())});
  judgement.evidence.push_back(
      "Checkpoint " + number(last.number) + " of " + date_time(last.at) + " covers the events up to " +
      number(last.sequence) + "; " + counted(behind, "event has", "events have") + " come since" +
      (behind == 0 ? "."
                   : ", the oldest " +
                         counted(static_cast<std::uint64_t>(journal.waiting.count()), "second", "seconds") + " ago."));
  const bool late = behind > kSlack * journal.promise.events || journal.waiting > kSlack * journal.promise.interval;
  if (late) {
    judgement.evidence.push_back("By the settings one is made after " + number(journal.promise.events) + " events or " +
                                 number(static_cast<std::uint64_t>(journal.promise.interval.count())) +
                                 " seconds: more than twice as much is not covered.");
  }
  judgement.evidence.push_back(
      "A checkpoint protects against whoever holds this machine only if a copy of it is kept elsewhere.");
  if (!journal.check) {
    judgement.evidence.push_back("The journal was not verified for this report.");
  } else if (!journal.check->intact) {
    judgement.evidence.push_back("The journal is not intact: what stands after that checkpoint is not covered.");
  } else if (!late && journal.refusal.empty()) {
    judgement.verdict = Verdict::pass;
  }
  return judgement;
}

Judgement issuance_events(const Facts& facts) {
  const Issuance& issuance = facts.issuance;
  Judgement judgement;
  judgement.figures = {{"covered", issuance.covered_by_journal},
                       {"without_event", issuance.without_event.total()},
                       {"made_before_journal", issuance.made_before_journal}};
  if (issuance.covered_by_journal == 0) {
    judgement.evidence = {"No record is as young as the oldest event of the journal."};
    if (issuance.made_before_journal > 0) {
      judgement.evidence.push_back(counted(issuance.made_before_journal, "older record is", "older records are") +
                                   " not covered.");
      judgement.verdict = Verdict::attention;
    }
    return judgement;
  }
  judgement.evidence = {
      counted(issuance.covered_by_journal, "record was", "records were") +
      " made since the oldest event that is here; no event tells of " + number(issuance.without_event.total()) +
      " of them. " + counted(issuance.made_before_journal, "older record is", "older records are") + " not covered."};
  judgement.verdict =
      issuance.without_event.total() > 0 ? Verdict::fail : attention_if(issuance.made_before_journal > 0);
  return judgement;
}

}  // namespace hsmsigner::report
