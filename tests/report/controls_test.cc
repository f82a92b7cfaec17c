#include "report/controls.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "report/sample.h"
#include "support/temporary_directory.h"

using namespace hsmsigner::report;
using namespace test_support;

namespace {

const Control& control(const std::vector<Control>& controls, std::string_view id) {
  const auto found = std::ranges::find(controls, id, &Control::id);
  REQUIRE(found != controls.end());
  return *found;
}

Verdict verdict(const Facts& facts, std::string_view id) { return control(judge(facts), id).verdict; }

// All is looked at, and all is well.
Facts sound_facts() {
  Facts facts = sample_facts();
  facts.token.is_softhsm = false;
  facts.inventory = Inventory();
  facts.inventory.certificates = facts.inventory.with_key = facts.inventory.non_exportable = 10;
  facts.inventory.token_private_keys = 12;
  facts.inventory.service_keys = 2;
  facts.token.key_algorithms = {"RSA-2048", "P-256"};
  facts.challenges = Challenges{false, 10, 10, 10, 4};
  facts.issuance.made_before_journal = 0;
  facts.accounts.resize(1);
  return facts;
}

const Finding kFinding{"id", "name", "folder:Web", "detail"};

}  // namespace

TEST_CASE("each control has an id of its own, a title and a standard") {
  std::set<std::string_view> ids;
  for (const ControlInfo& info : control_table()) {
    CHECK(ids.insert(info.id).second);
    CHECK_FALSE(info.title.empty());
    CHECK_FALSE(info.reference.empty());
  }
  const std::vector<Control> controls = judge(sample_facts());
  REQUIRE(controls.size() == control_table().size());
  for (std::size_t i = 0; i < controls.size(); ++i) {
    CHECK(controls[i].id == control_table()[i].id);
    CHECK_FALSE(controls[i].evidence.empty());
  }
}

TEST_CASE("docs/COMPLIANCE.md has a row for each control, and for no other") {
  const std::string text = test_support::read_file(COMPLIANCE_DOCUMENT);
  std::size_t rows = 0;
  for (const ControlInfo& info : control_table()) {
    const std::string row = "\n| " + std::string(info.id) + " | ";
    CHECK_MESSAGE(text.find(row) != std::string::npos, row);
    ++rows;
  }
  std::size_t written = 0;
  for (const char* family : {"\n| KEY-", "\n| CERT-", "\n| ACC-", "\n| LOG-"}) {
    const std::string begin(family);
    for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) ++written;
  }
  CHECK(written == rows);
}

TEST_CASE("where all is well, every control passes but the one that no token can answer") {
  for (const Control& each : judge(sound_facts())) {
    CHECK_MESSAGE(each.verdict == (each.id == "KEY-3" ? Verdict::attention : Verdict::pass), each.id);
  }
}

TEST_CASE("what was not looked at does not pass") {
  for (const Control& each : judge(empty_facts())) CHECK_MESSAGE(each.verdict != Verdict::pass, each.id);
}

TEST_CASE("each finding has its verdict") {
  struct Row {
    const char* what;
    const char* id;
    Verdict verdict;
    std::function<void(Facts&)> change;
  };
  const Row rows[] = {
      {"an exportable key", "KEY-1", Verdict::attention, [](Facts& f) { f.inventory.exportable.add(kFinding); }},
      {"a weakened key", "KEY-1", Verdict::fail, [](Facts& f) { f.inventory.weakened.add(kFinding); }},
      {"no probe", "KEY-2", Verdict::attention, [](Facts& f) { f.probe.reset(); }},
      {"an inconclusive probe", "KEY-2", Verdict::attention,
       [](Facts& f) { f.probe->outcome = ProbeOutcome::inconclusive; }},
      {"a key given away", "KEY-2", Verdict::fail, [](Facts& f) { f.probe->attempts.front().given_away = true; }},
      {"a token that does not keep keys", "KEY-2", Verdict::fail,
       [](Facts& f) { f.probe->outcome = ProbeOutcome::gives_keys_out; }},
      {"a key of an algorithm that was not probed", "KEY-2", Verdict::attention,
       [](Facts& f) { f.token.key_algorithms.insert("P-384"); }},
      {"SoftHSM", "KEY-3", Verdict::fail, [](Facts& f) { f.token.is_softhsm = true; }},
      {"a further token that was not probed", "KEY-2", Verdict::attention,
       [](Facts& f) {
         f.further_tokens = {{f.token, std::nullopt}};
       }},
      {"a further token that gives keys out", "KEY-2", Verdict::fail,
       [](Facts& f) {
         f.further_tokens = {{f.token, f.probe}, {f.token, f.probe}};
         f.further_tokens.back().probe->outcome = ProbeOutcome::gives_keys_out;
       }},
      {"a key in a further token, of an algorithm that was not probed in there", "KEY-2", Verdict::attention,
       [](Facts& f) {
         f.further_tokens = {{f.token, f.probe}};
         f.further_tokens.front().probe->algorithms = {"RSA-2048"};
       }},
      {"a further token that is SoftHSM", "KEY-3", Verdict::fail,
       [](Facts& f) {
         f.further_tokens = {{f.token, f.probe}};
         f.further_tokens.front().token.is_softhsm = true;
       }},
      {"a missing key", "KEY-4", Verdict::fail, [](Facts& f) { f.inventory.missing.add(kFinding); }},
      {"a shared identifier", "KEY-4", Verdict::fail, [](Facts& f) { f.inventory.duplicates.add(kFinding); }},
      {"a mismatch", "KEY-4", Verdict::fail, [](Facts& f) { f.inventory.mismatches.add(kFinding); }},
      {"no challenges", "KEY-5", Verdict::attention, [](Facts& f) { f.challenges.reset(); }},
      {"a sample", "KEY-5", Verdict::attention,
       [](Facts& f) { f.challenges->challenged = f.challenges->answered = 9; }},
      {"a key that its identifier does not single out", "KEY-5", Verdict::attention,
       [](Facts& f) {
         f.inventory.with_key = 11;
         f.challenges->ambiguous = 1;
       }},
      {"a mismatching key, the only one", "KEY-5", Verdict::attention,
       [](Facts& f) {
         f.inventory.with_key = 1;
         f.challenges = Challenges();
         f.challenges->mismatching = 1;
       }},
      {"a signing request", "KEY-5", Verdict::pass,
       [](Facts& f) {
         f.inventory.with_key = 11;
         f.challenges->pending = 1;
       }},
      {"a wrong answer", "KEY-5", Verdict::fail, [](Facts& f) { f.challenges->answered = 9; }},
      {"an orphan", "KEY-6", Verdict::attention, [](Facts& f) { f.inventory.orphans.add(kFinding); }},
      {"a weak key", "KEY-7", Verdict::fail, [](Facts& f) { f.inventory.weak.add(kFinding); }},
      {"a key of unknown strength", "KEY-7", Verdict::attention, [](Facts& f) { f.inventory.unjudged.add(kFinding); }},
      {"an imported key", "KEY-8", Verdict::attention, [](Facts& f) { f.inventory.imported.add(kFinding); }},
      {"a short serial number", "CERT-1", Verdict::fail, [](Facts& f) { f.issuance.short_serials.add(kFinding); }},
      {"a repeated one", "CERT-1", Verdict::fail, [](Facts& f) { f.issuance.repeated_serials.add(kFinding); }},
      {"a long validity", "CERT-2", Verdict::attention, [](Facts& f) { f.issuance.beyond_tls_limit.add(kFinding); }},
      {"SHA-1", "CERT-3", Verdict::fail, [](Facts& f) { f.inventory.weak_digests.add(kFinding); }},
      {"a near expiry", "CERT-4", Verdict::attention, [](Facts& f) { f.inventory.expiring_30.add(kFinding); }},
      {"an expired one", "CERT-4", Verdict::attention, [](Facts& f) { f.inventory.expired.add(kFinding); }},
      {"a farther expiry", "CERT-4", Verdict::pass, [](Facts& f) { f.inventory.expiring_60.add(kFinding); }},
      {"an auditor who issues", "ACC-1", Verdict::fail,
       [](Facts& f) {
         f.accounts.front().roles = {"auditor", "issuer"};
       }},
      {"an administrator who issues", "ACC-1", Verdict::attention,
       [](Facts& f) {
         f.accounts.front().roles = {"administrator", "issuer"};
       }},
      {"a disabled auditor who issues", "ACC-1", Verdict::not_applicable,
       [](Facts& f) {
         f.accounts.front().roles = {"auditor", "issuer"};
         f.accounts.front().enabled = false;
       }},
      {"an initial secret", "ACC-2", Verdict::attention, [](Facts& f) { f.accounts.front().secret_initial = true; }},
      {"an unverified journal", "LOG-1", Verdict::attention, [](Facts& f) { f.journal.check.reset(); }},
      {"a tampered journal", "LOG-1", Verdict::fail,
       [](Facts& f) {
         f.journal.check = JournalCheck{false, 1, 9, "event 7: another hash"};
       }},
      {"another head than the last report's", "LOG-1", Verdict::fail,
       [](Facts& f) { f.journal.last_report->head_is_unchanged = false; }},
      {"no report before", "LOG-1", Verdict::pass, [](Facts& f) { f.journal.last_report.reset(); }},
      {"an older key that the token lost", "LOG-1", Verdict::attention,
       [](Facts& f) {
         f.journal.keys.push_back({"old", "aa", 3, 100, KeyAnswer::absent, false}), f.journal.key_made = 101;
       }},
      {"a lost key that signed after its successor was made", "LOG-1", Verdict::fail,
       [](Facts& f) {
         f.journal.keys.push_back({"old", "aa", 3, 101, KeyAnswer::absent, false}), f.journal.key_made = 101;
       }},
      {"a key that is not the one on record", "LOG-1", Verdict::fail,
       [](Facts& f) { f.journal.keys.front().answer = KeyAnswer::another; }},
      {"that, and a lost one", "LOG-1", Verdict::fail,
       [](Facts& f) {
         f.journal.keys.front().answer = KeyAnswer::another;
         f.journal.keys.push_back({"old", "aa", 3, 100, KeyAnswer::absent, false}), f.journal.key_made = 101;
       }},
      {"a signing key that is lost", "LOG-1", Verdict::fail,
       [](Facts& f) { f.journal.keys.front().answer = KeyAnswer::absent, f.journal.key_made = 0; }},
      {"no checkpoint", "LOG-2", Verdict::attention, [](Facts& f) { f.journal.last_checkpoint.reset(); }},
      {"an unverified journal", "LOG-2", Verdict::attention, [](Facts& f) { f.journal.check.reset(); }},
      {"a tampered journal", "LOG-2", Verdict::attention, [](Facts& f) { f.journal.check->intact = false; }},
      {"as many events uncovered as may be", "LOG-2", Verdict::pass,
       [](Facts& f) { f.journal.sequence = f.journal.last_checkpoint->sequence + 2000; }},
      {"too many events uncovered", "LOG-2", Verdict::attention,
       [](Facts& f) { f.journal.sequence = f.journal.last_checkpoint->sequence + 2001; }},
      {"an event uncovered for too long", "LOG-2", Verdict::attention,
       [](Facts& f) { f.journal.waiting = std::chrono::seconds(601); }},
      {"a checkpoint that could not be made", "LOG-2", Verdict::attention,
       [](Facts& f) { f.journal.refusal = "journal: event 7 is missing"; }},
      {"a certificate without an event", "LOG-3", Verdict::fail,
       [](Facts& f) { f.issuance.without_event.add(kFinding); }},
      {"records older than the journal", "LOG-3", Verdict::attention,
       [](Facts& f) { f.issuance.made_before_journal = 1; }},
  };
  for (const Row& row : rows) {
    Facts facts = sound_facts();
    row.change(facts);
    CHECK_MESSAGE(verdict(facts, row.id) == row.verdict, row.what);
  }
}

TEST_CASE("the counts add up and the worst verdict is the whole's") {
  const std::vector<Control> controls = judge(sample_facts());
  const VerdictCounts counts = count(controls);
  CHECK(counts.pass + counts.attention + counts.fail + counts.not_applicable == controls.size());
  CHECK(overall(controls) == Verdict::fail);
  CHECK(overall(judge(sound_facts())) == Verdict::attention);
  CHECK(overall({}) == Verdict::not_applicable);
}

TEST_CASE("a long list shows the first ones and counts all") {
  FindingList list;
  for (std::size_t i = 0; i < kMostFindings + 5; ++i) list.add({std::to_string(i), "", "", ""});
  CHECK(list.total() == kMostFindings + 5);
  CHECK(list.shown().size() == kMostFindings);
  CHECK(list.shown().back().id == std::to_string(kMostFindings - 1));
}

TEST_CASE("attempts that were not made are not counted, and unprobed algorithms are named") {
  Facts facts = sound_facts();
  facts.token.key_algorithms.insert("P-384");
  facts.probe->attempts.push_back({"P-256", "C_WrapKey", "", "not tried", false, false});
  const std::vector<Control> controls = judge(facts);
  const Control& key_2 = control(controls, "KEY-2");
  const auto figure = [&](std::string_view name) {
    const auto found = std::ranges::find(key_2.figures, name, &Figure::name);
    REQUIRE(found != key_2.figures.end());
    return found->value;
  };
  CHECK(figure("attempts") == facts.probe->attempts.size() - 1);
  CHECK(figure("algorithms_probed") == 2);
  CHECK(figure("algorithms_not_probed") == 1);
  CHECK(key_2.evidence.front().starts_with("Throwaway keys of RSA-2048 and P-256 were made"));
  CHECK(std::ranges::any_of(
      key_2.evidence, [](const std::string& sentence) { return sentence.find("keys of P-384") != std::string::npos; }));
}

TEST_CASE("the keys that were not challenged are counted among all, with the reasons") {
  const std::vector<Control> controls = judge(sample_facts());
  const Control& key_5 = control(controls, "KEY-5");
  CHECK(key_5.figures.back().name == "not_challenged");
  CHECK(key_5.figures.back().value == 1646);
  CHECK(key_5.evidence.at(1) ==
        "1646 keys were not challenged: 1637 not drawn for this report's sample, 7 of signing requests without a "
        "certificate yet, 1 missing in the token and 1 known to be another than the certificate's.");
}

TEST_CASE("the journal's control names each key, and no checkpoint where there is none") {
  Facts facts = sound_facts();
  const auto evidence = [&] {
    std::string all;
    const std::vector<Control> controls = judge(facts);
    for (const std::string& sentence : control(controls, "LOG-1").evidence) all += sentence + "\n";
    return all;
  };
  const CheckpointKey key = facts.journal.keys.front();
  CHECK(evidence().find("Key " + key.id + " (SHA-256 " + key.fingerprint + ", which signs now) has signed 41") !=
        std::string::npos);
  facts.journal.checkpoints = 0;
  facts.journal.keys.clear();
  facts.journal.last_checkpoint.reset();
  CHECK(evidence().find("verify") == std::string::npos);
  CHECK(evidence().find("No checkpoint vouches for it.") != std::string::npos);
}
