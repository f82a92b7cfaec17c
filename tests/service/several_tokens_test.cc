// What evidence and the compliance report say where there are several tokens, and after another one took the service's
// own keys over.
#include <doctest/doctest.h>

#include "compliance_world.h"
#include "crypto/jws.h"
#include "service/access_token_keys.h"
#include "service/evidence.h"

using namespace hsmsigner;
using namespace service_test;

namespace {

constexpr service::TokenUses kCa{true, false, true};
constexpr service::TokenUses kLeaves{false, true, false};

// Authorities in the first token, leaves in the second.
class TwoTokens {
 public:
  TwoTokens() { hsm_.add_token("leaves"); }

  // The service's keys are in the first token or, `moved`, in the second.
  service::TokenSet& set(bool moved = false) {
    for (const std::string& label : {hsm_.label(), std::string("leaves")}) {
      if (tokens_.size() == 2) break;
      tokens_.push_back(hsm::Token::open({.module_path = test_support::SoftHsm::module_path(), .selector = {label, ""}},
                                         Secret(hsm_.pin())));
    }
    std::vector<service::ServiceToken> all{{*tokens_[0], kCa}, {*tokens_[1], kLeaves}};
    if (moved) std::swap(all[0].uses.service, all[1].uses.service);
    set_ = std::make_unique<service::TokenSet>(std::move(all));
    return *set_;
  }

  store::CertificateRecord generate(service::TokenSet& tokens, const std::string& name, bool authority,
                                    KeyAlgorithm algorithm) {
    service::NameReservations names;
    service::GenerateRequest request = sample_request(name, "", authority);
    request.algorithm = algorithm;
    request.days = 100;
    return service::Generation(tokens, database->certificates(), names, policies_, system_now)
        .generate(auth::Caller::service(), std::move(request), soon());
  }

  service::AuditKey audit_key(service::TokenSet& tokens) {
    return {tokens.for_service(), database->journal(), database->certificates(), system_now};
  }

  report::Report report(service::TokenSet& tokens, service::AuditKey& signer,
                        const service::ComplianceOptions& options = {}) {
    return service::Compliance({tokens, database->certificates(), database->accounts(), database->journal()},
                               [this] { return store::open_journal(directory_.file("store.db")); }, "0.1.0",
                               system_now_millis, {})
        .make(options, {signer.current()}, soon());
  }

 private:
  test_support::SoftHsm hsm_;
  test_support::TemporaryDirectory directory_;
  std::vector<std::unique_ptr<hsm::Token>> tokens_;
  std::unique_ptr<service::TokenSet> set_;
  policy::Policies policies_;

 public:
  std::unique_ptr<store::Store> database = store::Store::open({.path = directory_.file("store.db")});
};

}  // namespace

TEST_CASE("evidence has the probe of the token that the key is in") {
  TwoTokens world;
  service::TokenSet& tokens = world.set();
  const auto root = world.generate(tokens, "root", true, KeyAlgorithm::ec_p256);
  const auto leaf = world.generate(tokens, "leaf", false, KeyAlgorithm::ec_p256);
  service::AuditKey audit_key = world.audit_key(tokens);
  audit_key.ensure(soon());
  service::Catalogue catalogue(world.database->certificates(), system_now);
  service::Evidence evidence(tokens, world.database->journal(), catalogue, audit_key,
                             {{system_now_millis(), std::string(audit::kKeepsKeys), false, ""},
                              {system_now_millis(), "gives_keys_out", true, ""}});
  const auto given = [&](const store::CertificateRecord& record) {
    const auto caller = auth::Caller::service();
    const std::string jws = evidence.give(service::Actor(caller), record.id, std::nullopt, "", soon());
    return audit::parse_key_evidence(crypto::read_jws(jws).payload).value();
  };
  const audit::KeyEvidence of_root = given(root), of_leaf = given(leaf);
  CHECK(of_root.probe.verdict == audit::kKeepsKeys);
  CHECK(of_root.token.serial == root.key->token_serial);
  CHECK(of_leaf.probe.verdict == "gives_keys_out");
  CHECK(of_leaf.token.serial == leaf.key->token_serial);
  for (const audit::KeyEvidence& each : {of_root, of_leaf}) CHECK((each.answers_challenge && each.matches_record));
}

TEST_CASE("an algorithm that was probed in one token only is told of the other") {
  TwoTokens world;
  service::TokenSet& tokens = world.set();
  world.generate(tokens, "root", true, KeyAlgorithm::ec_p256);
  world.generate(tokens, "leaf", false, KeyAlgorithm::ec_p384);
  service::AuditKey audit_key = world.audit_key(tokens);
  audit_key.ensure(soon());
  service::ComplianceOptions options;
  options.probe = {KeyAlgorithm::ec_p256};
  const report::Report report = world.report(tokens, audit_key, options);
  CHECK(report.facts.token.key_algorithms == std::set<std::string>{"P-256"});
  REQUIRE(report.facts.further_tokens.size() == 1);
  CHECK(report.facts.further_tokens.front().token.key_algorithms == std::set<std::string>{"P-384"});
  CHECK(verdict(report, "KEY-2") == report::Verdict::attention);
  CHECK(evidence(report, "KEY-2").find("The token leaves holds keys of P-384") != std::string::npos);
  CHECK(evidence(report, "KEY-2").find("holds keys of P-256") == std::string::npos);
}

TEST_CASE(
    "an audit key vouches for what it signed while it is in any token, and a key of access tokens is then needless") {
  TwoTokens world;
  std::string before;
  {
    service::TokenSet& tokens = world.set();
    service::AuditKey audit_key = world.audit_key(tokens);
    audit_key.ensure(soon());
    before = audit_key.current().id.to_string();
    service::AccessTokenKeys(tokens.for_service(), world.database->accounts(), system_now).ensure(soon());
    service::Checkpoints(world.database->journal(), audit_key).make(soon());
    CHECK(world.report(tokens, audit_key).facts.inventory.service_keys == 2);
  }
  service::TokenSet& tokens = world.set(true);
  service::AuditKey audit_key = world.audit_key(tokens);
  audit_key.ensure(soon());
  service::AccessTokenKeys(tokens.for_service(), world.database->accounts(), system_now).ensure(soon());
  REQUIRE(audit_key.current().id.to_string() != before);
  const report::Report moved = world.report(tokens, audit_key);
  CHECK(verdict(moved, "LOG-1") == report::Verdict::pass);
  REQUIRE(moved.facts.journal.keys.size() == 2);
  for (const report::CheckpointKey& key : moved.facts.journal.keys) CHECK(key.answer == report::KeyAnswer::answers);
  CHECK(moved.facts.inventory.service_keys == 3);
  REQUIRE(moved.facts.inventory.orphans.total() == 1);
  CHECK(moved.facts.inventory.orphans.shown().front().detail.find("RSA") != std::string::npos);

  tokens.all()[0].token.destroy(Uuid::parse(before).value(), soon());
  const report::Report gone = world.report(tokens, audit_key);
  CHECK(verdict(gone, "LOG-1") == report::Verdict::attention);
}
