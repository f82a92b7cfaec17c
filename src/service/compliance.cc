#include "service/compliance.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "auth/roles.h"
#include "base/error.h"
#include "crypto/public_key_info.h"
#include "report/controls.h"
#include "service/issuance_history.h"
#include "service/journal_facts.h"
#include "service/key_challenges.h"
#include "service/key_inventory.h"
#include "service/own_keys.h"

namespace hsmsigner::service {
namespace {

constexpr std::size_t kRecordsAtOnce = 500;
constexpr std::size_t kAccountsAtOnce = 500;

// What is listed once, and then looked at again where it stands out.
class Walk {
 public:
  Walk(const Compliance::Sources& sources, const ComplianceOptions& options, UnixTime now, Deadline deadline)
      : sources_(sources),
        options_(options),
        deadline_(deadline),
        keys_(list_inventory(now)),
        history_(read_events(), now) {}

  void run() {
    add_records();
    look_again();
  }

  KeyInventory& keys() { return keys_; }
  IssuanceHistory& history() { return history_; }

  void tell(const std::string& step, std::size_t done, std::size_t all) const {
    if (options_.progress) options_.progress(step, done, all);
  }

 private:
  std::vector<PlacedKey> list_keys() const {
    tell("listing the token's keys", 0, 0);
    std::vector<PlacedKey> keys;
    const std::vector<ServiceToken>& tokens = sources_.tokens.all();
    for (std::size_t place = 0; place < tokens.size(); ++place) {
      for (hsm::ListedKey& key : tokens[place].token.private_keys(deadline_)) keys.push_back({place, std::move(key)});
    }
    return keys;
  }

  JournalCoverage read_events() const {
    tell("reading the journal", 0, 0);
    return read_coverage(sources_.journal, deadline_);
  }

  // Its records are read after the tokens were, so that no key of theirs is taken for an orphan.
  std::set<KeyPlace> service_keys(const std::vector<PlacedKey>& listed) const {
    std::set<KeyPlace> places = own_keys(sources_.tokens, sources_.accounts, sources_.journal, listed, deadline_);
    // Made ahead: keys of the service until they have a certificate.
    if (sources_.key_pool != nullptr) {
      for (const Uuid& id : sources_.key_pool->ids()) {
        for (std::size_t place = 0; place < sources_.tokens.all().size(); ++place) {
          places.insert({place, Bytes(id.bytes().begin(), id.bytes().end())});
        }
      }
    }
    return places;
  }

  KeyInventory list_inventory(UnixTime now) const {
    std::vector<PlacedKey> listed = list_keys();
    std::set<KeyPlace> own = service_keys(listed);
    return KeyInventory(sources_.tokens, std::move(listed), std::move(own), now);
  }

  void add(const store::CertificateRecord& record) {
    keys_.add(record);
    history_.add(record);
  }

  void add_records() {
    tell("comparing certificates", 0, 0);
    for (std::size_t offset = 0;; offset += kRecordsAtOnce) {
      if (std::chrono::steady_clock::now() > deadline_) {
        throw Error(ErrorKind::session_timeout, {"there are more certificates than could be read in time"});
      }
      const store::Page page = sources_.certificates.list(ContainerScope::everything(), {}, offset, kRecordsAtOnce);
      for (const store::CertificateRecord& record : page.records) add(record);
      tell("comparing certificates", std::min(offset + page.records.size(), page.total), page.total);
      if (page.records.size() < kRecordsAtOnce) return;
    }
  }

  void look_again() {
    // A page that moved because another record went may have hidden one: its key is no orphan.
    for (const KeyPlace& place : keys_.orphan_candidates()) {
      const auto uuid = Uuid::from_bytes(place.id);
      const auto record = uuid ? sources_.certificates.find(*uuid) : std::nullopt;
      if (record) add(*record);
    }
    const std::vector<KeyPlace> orphans = keys_.orphan_candidates();
    const std::vector<store::CertificateRecord> missing = keys_.missing_candidates();
    if (orphans.empty() && missing.empty()) return;
    // Made or deleted meanwhile, or truly so? The token is asked once more, then the records.
    std::set<KeyPlace> now_there;
    const std::vector<PlacedKey> listed = list_keys();
    for (const PlacedKey& each : listed) now_there.insert({each.token, each.key.id});
    const std::set<KeyPlace> service = service_keys(listed);
    for (const KeyPlace& place : orphans) {
      if (!is_recorded(place) && now_there.contains(place) && !service.contains(place)) keys_.add_orphan(place);
    }
    for (const store::CertificateRecord& record : missing) {
      const auto id = from_hex(record.key->id);
      const auto token = sources_.tokens.place_of(*record.key);
      if (id && token && !now_there.contains({*token, *id}) && sources_.certificates.find(record.id)) {
        keys_.add_missing(record);
      }
    }
  }

  // A record of this id whose key is in another token makes no use of this one.
  bool is_recorded(const KeyPlace& place) const {
    const auto id = Uuid::from_bytes(place.id);
    const auto record = id ? sources_.certificates.find(*id) : std::nullopt;
    return record && record->key && sources_.tokens.place_of(*record->key) == place.token;
  }

  const Compliance::Sources& sources_;
  const ComplianceOptions& options_;
  const Deadline deadline_;
  KeyInventory keys_;
  IssuanceHistory history_;
};

report::TokenFacts token_facts(const hsm::TokenInfo& info) {
  report::TokenFacts token;
  token.label = info.label;
  token.manufacturer = info.manufacturer;
  token.model = info.model;
  token.serial = info.serial;
  token.firmware = info.firmware;
  token.module_path = info.module_path;
  token.module_description = info.module_description;
  token.is_softhsm = info.manufacturer.starts_with("SoftHSM") || info.model.starts_with("SoftHSM");
  return token;
}

report::ProbeFacts probe_facts(const hsm::ProbeResult& result, UnixMillis at) {
  report::ProbeFacts facts;
  facts.at = at;
  switch (result.verdict()) {
    case hsm::ProbeVerdict::keeps_keys: facts.outcome = report::ProbeOutcome::keeps_keys; break;
    case hsm::ProbeVerdict::gives_keys_out: facts.outcome = report::ProbeOutcome::gives_keys_out; break;
    case hsm::ProbeVerdict::inconclusive: facts.outcome = report::ProbeOutcome::inconclusive; break;
  }
  for (const hsm::AlgorithmProbe& probe : result.algorithms) {
    const std::string algorithm(info(probe.algorithm).name);
    if (!probe.attempts.empty()) facts.algorithms.push_back(algorithm);
    if (!probe.reason.empty()) facts.reasons.push_back(algorithm + ": " + probe.reason);
    if (!probe.mismatch.empty()) facts.reasons.push_back(algorithm + ": " + probe.mismatch);
    for (const hsm::ProbeAttempt& attempt : probe.attempts) {
      report::ProbeAttempt& row = facts.attempts.emplace_back();
      row.algorithm = algorithm;
      row.attempt = attempt.call + (attempt.detail.empty() ? "" : " " + attempt.detail);
      row.tried = attempt.outcome != hsm::ProbeOutcome::not_tried;
      if (row.tried) {
        char number[32];
        std::snprintf(number, sizeof number, " (0x%lx)", attempt.code);
        row.return_code = attempt.code_name + number;
      }
      row.outcome = std::string(to_string(attempt.outcome)) + (attempt.remark.empty() ? "" : ": " + attempt.remark);
      row.given_away = attempt.outcome == hsm::ProbeOutcome::leaked;
    }
  }
  return facts;
}

std::vector<report::AccountFacts> account_facts(store::AccountStore& accounts, UnixTime now) {
  std::vector<report::AccountFacts> facts;
  for (std::size_t offset = 0;; offset += kAccountsAtOnce) {
    const store::AccountPage page = accounts.list(offset, kAccountsAtOnce);
    for (const store::AccountRecord& account : page.records) {
      report::AccountFacts& row = facts.emplace_back();
      row.client_id = account.client_id;
      row.enabled = account.enabled;
      row.expired = account.expires_at && *account.expires_at <= now;
      row.secret_initial = account.secret_initial;
      row.grants = account.grants;
      std::set<std::string> roles;
      for (const std::string& grant : account.grants) {
        roles.emplace(auth::to_string(auth::Grant::parse(grant).role));
      }
      row.roles.assign(roles.begin(), roles.end());
    }
    if (page.records.size() < kAccountsAtOnce) return facts;
  }
}

// With the reasons why the others on record were not eligible.
report::Challenges challenges_of(const report::Challenges& made, KeyInventory& keys) {
  report::Challenges all = keys.not_challengeable();
  all.sampled = made.sampled;
  all.eligible = made.eligible;
  all.challenged = made.challenged;
  all.answered = made.answered;
  all.compared = keys.compared();
  all.missing = keys.inventory().missing.total();
  // On record, and in none of these: its record went while the report was made.
  all.gone = keys.inventory().with_key - all.eligible - all.pending - all.missing - all.ambiguous - all.mismatching;
  return all;
}

}  // namespace

Compliance::Compliance(Sources sources, OpenJournal open_journal, std::string service_version,
                       std::function<UnixMillis()> clock, CheckpointRhythm rhythm)
    : sources_(sources),
      open_journal_(std::move(open_journal)),
      service_version_(std::move(service_version)),
      clock_(std::move(clock)),
      rhythm_(rhythm) {}

report::ProbedToken Compliance::probed(hsm::Token& token, const ComplianceOptions& options, Deadline deadline) const {
  report::ProbedToken probed{token_facts(token.info()), std::nullopt};
  if (!options.probe.empty()) {
    if (options.progress) options.progress("probing the token", 0, 0);
    probed.probe = probe_facts(token.probe(options.probe, deadline, options.stop), clock_());
  }
  return probed;
}

report::Report Compliance::make(const ComplianceOptions& options, const ReportSigner& signer, Deadline deadline) {
  report::Facts facts;
  facts.made_at = clock_();
  facts.service_version = service_version_;
  const UnixTime now = std::chrono::floor<std::chrono::seconds>(facts.made_at);
  report::ProbedToken first = probed(sources_.tokens.for_service(), options, deadline);
  facts.token = std::move(first.token);
  facts.probe = std::move(first.probe);
  for (const ServiceToken& each : sources_.tokens.all()) {
    if (!each.uses.service) facts.further_tokens.push_back(probed(each.token, options, deadline));
  }

  Walk walk(sources_, options, now, deadline);
  walk.run();
  if (options.challenge) {
    ChallengeResult result = challenge(
        sources_.tokens, walk.keys().challengeable(), options.most_challenges,
        [&](std::size_t done, std::size_t all) { walk.tell("challenging keys", done, all); }, deadline);
    for (const FailedChallenge& failed : result.failed) {
      // Deleted meanwhile, it could not answer.
      if (sources_.certificates.find(failed.key.id)) {
        walk.keys().add_mismatch(failed.key, failed.why);
      } else {
        --result.facts.eligible;
        --result.facts.challenged;
      }
    }
    facts.challenges = challenges_of(result.facts, walk.keys());
  }
  // In the order in which they were put there above.
  auto further = facts.further_tokens.begin();
  for (std::size_t place = 0; place < sources_.tokens.all().size(); ++place) {
    report::TokenFacts& token = place == sources_.tokens.service_place() ? facts.token : (further++)->token;
    token.key_algorithms = walk.keys().key_algorithms(place);
  }
  facts.inventory = std::move(walk.keys().inventory());
  facts.issuance = walk.history().finished();
  facts.accounts = account_facts(sources_.accounts, now);
  walk.tell("verifying the journal", 0, 0);
  // Now: the probe has its events too.
  const std::string refusal = signer.cover_journal ? signer.cover_journal() : "";
  facts.journal = journal_facts({sources_.tokens, sources_.journal, open_journal_}, signer.key, clock_, deadline);
  facts.journal.promise = {rhythm_.events, rhythm_.interval};
  facts.journal.refusal = refusal;
  if (signer.key) {
    facts.audit_key =
        report::AuditKeyFacts{signer.key->id.to_string(),
                              crypto::public_key_fingerprint(crypto::public_key_from_pem(signer.key->public_key_pem))};
  }
  std::vector<report::Control> controls = report::judge(facts);
  return {std::move(facts), std::move(controls)};
}

}  // namespace hsmsigner::service
