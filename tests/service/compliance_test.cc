// The facts of the compliance report, with a real token, a real database and a real journal.
#include "service/compliance.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <iostream>

#include "base/error.h"
#include "report/controls.h"
#include "service/audit_key.h"
#include "service/catalogue.h"
#include "service/exchange.h"
#include "service/generation.h"
#include "service/name_reservations.h"
#include "store/journal_reader.h"
#include "store/store.h"
#include "support/command.h"
#include "support/softhsm.h"

using namespace hsmsigner;
using std::chrono::days;
using std::chrono::seconds;

namespace {

Deadline soon() { return deadline_in(seconds(30)); }

const std::string kOtherTokenKey = "00112233445566778899aabbccddeeff";

class World {
 public:
  World()
      : token_(hsm::Token::open({.module_path = test_support::SoftHsm::module_path(), .selector = {hsm_.label(), ""}},
                                Secret(hsm_.pin()))),
        database_(store::Store::open({.path = directory_.file("store.db")})),
        catalogue_(database_->certificates(), system_now),
        generation_(tokens_, database_->certificates(), names_, policies_, system_now),
        exchange_(tokens_, database_->certificates(), database_->journal(), names_, policies_, catalogue_) {}

  store::CertificateRecord generate(const std::string& name,
                                    const std::function<void(service::GenerateRequest&)>& change = {}) {
    service::GenerateRequest request;
    request.container = Container{ContainerKind::folder, "F"};
    request.algorithm = KeyAlgorithm::ec_p256;
    request.certificate_name = name;
    request.common_name = name;
    request.digest = Digest::sha256;
    request.days = 100;
    if (change) change(request);
    return generation_.generate(auth::Caller::service(), std::move(request), soon());
  }

  store::CertificateRecord import(const std::string& name) {
    const std::string key = directory_.file("key.pem"), certificate = directory_.file("certificate.pem");
    test_support::must_run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
                            certificate, "-subj", "/CN=" + name, "-days", "400"});
    service::ImportRequest request;
    request.container = Container{ContainerKind::folder, "F"};
    request.name = name;
    request.format = service::FileFormat::pem;
    request.certificate_file = Secret(test_support::read_file(certificate));
    request.key_file = Secret(test_support::read_file(key));
    return exchange_.import_certificate(auth::Caller::service(), std::move(request), soon());
  }

  // A key pair made behind the service's back; the public half does not matter.
  void make_key_outside(const std::string& id, const std::string& type = "EC:prime256v1") {
    hsm_.pkcs11_tool({"--keypairgen", "--key-type", type, "--id", id, "--label", "by hand", "--usage-sign"});
  }

  void insert_account(const std::string& client_id, std::vector<std::string> grants) {
    store::AccountRecord account;
    account.client_id = client_id;
    account.grants = std::move(grants);
    account.secret = {Bytes(16, 1), Bytes(32, 2)};
    account.secret_initial = false;
    account.created_at = account.changed_at = system_now();
    database_->accounts().insert(account, soon());
  }

  service::Compliance compliance() {
    return service::Compliance(
        {tokens_, database_->certificates(), database_->accounts(), database_->journal()},
        [this] { return store::open_journal(directory_.file("store.db")); }, "0.1.0",
        [this] { return std::chrono::floor<std::chrono::milliseconds>(now()); });
  }
  report::Report report(const service::ComplianceOptions& options = {}) { return compliance().make(options, soon()); }

  std::chrono::system_clock::time_point now() const { return std::chrono::system_clock::now() + later; }

  hsm::Token& token() { return *token_; }
  store::Store& database() { return *database_; }
  std::string database_file() const { return directory_.file("store.db"); }

  std::chrono::hours later{0};  // how far the report's clock is ahead

 private:
  test_support::SoftHsm hsm_;
  test_support::TemporaryDirectory directory_;
  std::unique_ptr<hsm::Token> token_;
  service::TokenSet tokens_{*token_};
  std::unique_ptr<store::Store> database_;
  service::NameReservations names_;
  policy::Policies policies_;
  service::Catalogue catalogue_;
  service::Generation generation_;
  service::Exchange exchange_;
};

report::Verdict verdict(const report::Report& report, std::string_view id) {
  const auto found = std::ranges::find(report.controls, id, &report::Control::id);
  REQUIRE(found != report.controls.end());
  return found->verdict;
}

// The ids in a list, which must hold nothing else.
void check_only(const report::FindingList& list, const std::string& id, const std::string& part_of_detail) {
  REQUIRE(list.total() == 1);
  CHECK(list.shown().front().id == id);
  CHECK_MESSAGE(list.shown().front().detail.find(part_of_detail) != std::string::npos, list.shown().front().detail);
}

std::string hex_id(const Uuid& id) { return to_hex(id.bytes()); }

}  // namespace

TEST_CASE("a sound token and store: nothing is found, every key answers, and the service's own keys are no orphans") {
  World world;
  service::AuditKey audit_key(world.token(), world.database().journal(), system_now);
  audit_key.ensure(soon());
  world.generate("ca", [](auto& request) {
    request.certificate_authority = true;
    request.days = 3650;
  });
  world.generate("leaf", [](auto& request) { request.signed_by = "ca"; });
  world.generate("rsa", [](auto& request) { request.algorithm = KeyAlgorithm::rsa_2048; });
  world.generate("pending", [](auto& request) {
    request.external = true;
    request.days.reset();
  });

  const report::Report report = world.report();
  const report::Inventory& inventory = report.facts.inventory;
  CHECK(inventory.certificates == 3);
  CHECK(inventory.pending == 1);
  CHECK(inventory.authorities == 1);
  CHECK(inventory.with_key == 4);
  CHECK(inventory.token_private_keys == 5);
  CHECK(inventory.service_keys == 1);
  CHECK(inventory.non_exportable == 4);
  for (const report::FindingList* list :
       {&inventory.orphans, &inventory.missing, &inventory.duplicates, &inventory.mismatches, &inventory.weakened,
        &inventory.weak, &inventory.exportable, &inventory.imported, &inventory.expired, &inventory.weak_digests}) {
    CHECK(list->total() == 0);
  }
  REQUIRE(report.facts.challenges);
  CHECK(report.facts.challenges->eligible == 3);
  CHECK(report.facts.challenges->challenged == 3);
  CHECK(report.facts.challenges->answered == 3);
  CHECK(report.facts.challenges->compared == 1);
  CHECK_FALSE(report.facts.challenges->sampled);
  CHECK(report.facts.token.label == "test-token");
  CHECK(report.facts.token.is_softhsm);
  CHECK_FALSE(report.facts.probe);
  REQUIRE(report.facts.audit_key);
  CHECK(report.facts.audit_key->id == audit_key.current().id.to_string());
  for (const char* id : {"KEY-1", "KEY-4", "KEY-5", "KEY-6", "KEY-7", "KEY-8", "CERT-1", "CERT-2", "CERT-3", "CERT-4",
                         "LOG-1", "LOG-3"}) {
    CHECK_MESSAGE(verdict(report, id) == report::Verdict::pass, id);
  }
  CHECK(verdict(report, "KEY-2") == report::Verdict::attention);
  CHECK(verdict(report, "KEY-3") == report::Verdict::fail);
}

TEST_CASE("a key that belongs to nothing, one that is gone, and an id that two keys have") {
  World world;
  const auto kept = world.generate("kept");
  const auto gone = world.generate("gone");
  const auto twice = world.generate("twice");
  auto orphan = world.token().generate({Uuid::random(), KeyAlgorithm::ec_p256, true}, soon());
  orphan.keep();
  world.token().destroy(gone.id, soon());
  world.make_key_outside(hex_id(twice.id));
  world.make_key_outside(kOtherTokenKey);

  const report::Report report = world.report();
  const report::Inventory& inventory = report.facts.inventory;
  REQUIRE(inventory.orphans.total() == 2);
  std::vector<std::string> orphans;
  for (const report::Finding& finding : inventory.orphans.shown()) orphans.push_back(finding.id);
  CHECK(std::ranges::count(orphans, hex_id(orphan.key()->id())) == 1);
  CHECK(std::ranges::count(orphans, kOtherTokenKey) == 1);
  check_only(inventory.missing, gone.id.to_string(), "no private key");
  check_only(inventory.duplicates, hex_id(twice.id), "2 private keys");
  CHECK(inventory.token_private_keys == 5);
  // Of the doubled id nobody can say which key signs.
  CHECK(report.facts.challenges->eligible == 1);
  CHECK(report.facts.challenges->answered == 1);
  CHECK(verdict(report, "KEY-4") == report::Verdict::fail);
  CHECK(verdict(report, "KEY-6") == report::Verdict::attention);
}

TEST_CASE("a key put in another's place, with other attributes and with the same ones") {
  World world;
  const auto weakened = world.generate("weakened");
  const auto swapped = world.generate("swapped");
  const auto swapped_rsa = world.generate("swapped-rsa", [](auto& r) { r.algorithm = KeyAlgorithm::rsa_2048; });
  for (const auto* record : {&weakened, &swapped, &swapped_rsa}) world.token().destroy(record->id, soon());
  world.token().generate({weakened.id, KeyAlgorithm::ec_p256, false}, soon()).keep();
  world.token().generate({swapped.id, KeyAlgorithm::ec_p256, true}, soon()).keep();
  world.token().generate({swapped_rsa.id, KeyAlgorithm::rsa_2048, true}, soon()).keep();

  const report::Report report = world.report();
  const report::Inventory& inventory = report.facts.inventory;
  check_only(inventory.weakened, weakened.id.to_string(), "CKA_EXTRACTABLE true");
  REQUIRE(inventory.mismatches.total() == 3);
  const auto detail_of = [&](const Uuid& id) {
    const auto found = std::ranges::find(inventory.mismatches.shown(), id.to_string(), &report::Finding::id);
    return found == inventory.mismatches.shown().end() ? std::string("not found") : found->detail;
  };
  CHECK(detail_of(weakened.id).find("CKA_NEVER_EXTRACTABLE") != std::string::npos);
  CHECK(detail_of(swapped.id).find("does not verify") != std::string::npos);
  CHECK(detail_of(swapped_rsa.id).find("modulus") != std::string::npos);
  CHECK(report.facts.challenges->challenged == 1);
  CHECK(report.facts.challenges->answered == 0);
  CHECK(verdict(report, "KEY-1") == report::Verdict::fail);
  CHECK(verdict(report, "KEY-5") == report::Verdict::fail);

  // Without a challenge the swapped EC key cannot be told, and the report does not say that it was.
  const report::Report silent = world.report({.challenge = false});
  CHECK_FALSE(silent.facts.challenges);
  CHECK(silent.facts.inventory.mismatches.total() == 2);
  CHECK(verdict(silent, "KEY-5") == report::Verdict::attention);
}

TEST_CASE("weak, exportable and imported keys, old digests and long validity") {
  World world;
  const auto weak = world.generate("weak", [](auto& request) { request.algorithm = KeyAlgorithm::rsa_1024; });
  const auto exportable = world.generate("exportable", [](auto& request) { request.block_private_key = false; });
  const auto old = world.generate("old", [](auto& request) { request.digest = Digest::sha1; });
  const auto durable = world.generate("durable", [](auto& request) { request.days = 1000; });
  const auto imported = world.import("imported");

  const report::Report report = world.report();
  const report::Inventory& inventory = report.facts.inventory;
  check_only(inventory.weak, weak.id.to_string(), "RSA-1024");
  check_only(inventory.exportable, exportable.id.to_string(), "CKA_EXTRACTABLE");
  check_only(inventory.imported, imported.id.to_string(), "CKA_LOCAL");
  check_only(inventory.weak_digests, old.id.to_string(), "sha1");
  // The imported one, valid for 400 days, was not issued here.
  check_only(report.facts.issuance.beyond_tls_limit, durable.id.to_string(), "the limit was");
  CHECK(report.facts.issuance.issued_here == 4);
  CHECK(report.facts.issuance.end_entities == 4);
  CHECK(report.facts.issuance.shortest_serial_bits > 120);
  CHECK(report.facts.issuance.per_day.back().certificates == 4);
  CHECK(inventory.non_exportable == 4);
  CHECK(inventory.mismatches.total() == 0);
  REQUIRE(report.facts.issuance.algorithms.size() == 3);
  CHECK(report.facts.issuance.algorithms.front().algorithm == "RSA-1024");
  CHECK(report.facts.issuance.algorithms.front().weak == 1);
}

TEST_CASE("expiry is sorted into 30, 60 and 90 days, and months") {
  World world;
  for (const int each : {20, 45, 75, 120, 2000}) {
    world.generate("days-" + std::to_string(each), [each](auto& request) { request.days = each; });
  }
  world.later = std::chrono::hours(1);
  report::Report report = world.report({.challenge = false});
  CHECK(report.facts.inventory.expiring_30.total() == 1);
  CHECK(report.facts.inventory.expiring_60.total() == 1);
  CHECK(report.facts.inventory.expiring_90.total() == 1);
  CHECK(report.facts.inventory.expired.total() == 0);
  CHECK(report.facts.issuance.later == 1);
  world.later = days(50);
  report = world.report({.challenge = false});
  CHECK(report.facts.inventory.expired.total() == 2);
  CHECK(report.facts.issuance.expired == 2);
  CHECK(report.facts.inventory.expiring_30.total() == 1);
  std::size_t in_months = 0;
  for (const report::MonthCount& month : report.facts.issuance.per_month) in_months += month.certificates;
  CHECK(in_months == 2);
  CHECK(report.facts.issuance.later == 1);
}

TEST_CASE("a sample of the keys is challenged, and what was left out is told") {
  World world;
  for (int i = 0; i < 6; ++i) world.generate("name-" + std::to_string(i));
  std::size_t steps = 0;
  const report::Report report =
      world.report({.most_challenges = 2, .progress = [&](const std::string& step, std::size_t, std::size_t) {
                      if (step == "challenging keys") ++steps;
                    }});
  CHECK(report.facts.challenges->sampled);
  CHECK(report.facts.challenges->eligible == 6);
  CHECK(report.facts.challenges->challenged == 2);
  CHECK(report.facts.challenges->answered == 2);
  CHECK(steps == 2);
  CHECK(verdict(report, "KEY-5") == report::Verdict::attention);
}

TEST_CASE("a certificate that the journal does not tell of is found") {
  World world;
  const auto told = world.generate("told");
  // In through the store, as whoever writes the database would do it.
  store::CertificateRecord untold = told;
  untold.id = Uuid::random();
  untold.name = "untold";
  untold.fingerprint_sha256 = "AA";
  untold.created_at += seconds(5);
  world.database().certificates().insert(untold, soon());
  const report::Report report = world.report({.challenge = false});
  check_only(report.facts.issuance.without_event, untold.id.to_string(), "made at");
  check_only(report.facts.issuance.repeated_serials, untold.id.to_string(), untold.serial_number);
  CHECK(verdict(report, "LOG-3") == report::Verdict::fail);
  CHECK(verdict(report, "CERT-1") == report::Verdict::fail);
}

TEST_CASE("a journal that was changed fails, with its first bad event") {
  World world;
  world.generate("one");
  world.generate("two");
  CHECK(verdict(world.report(), "LOG-1") == report::Verdict::pass);
  test_support::must_run({"sqlite3", world.database_file(),
                          "UPDATE event SET line = replace(line, '\"name\":\"one\"', '\"name\":\"uno\"');"});
  const report::Report report = world.report();
  CHECK(verdict(report, "LOG-1") == report::Verdict::fail);
  REQUIRE(report.facts.journal.check);
  CHECK(report.facts.journal.check->finding.find("Event") != std::string::npos);
}

TEST_CASE("the token is probed with a throwaway key, which is in no list afterwards") {
  World world;
  world.generate("one");
  const report::Report report = world.report({.probe = {KeyAlgorithm::ec_p256}});
  REQUIRE(report.facts.probe);
  CHECK(report.facts.probe->outcome == report::ProbeOutcome::keeps_keys);
  CHECK(report.facts.probe->attempts.size() >= 4);
  const auto refused = [](const report::ProbeAttempt& attempt) {
    return attempt.return_code == "CKR_KEY_UNEXTRACTABLE (0x6a)" && attempt.outcome.starts_with("refused");
  };
  CHECK(std::ranges::any_of(report.facts.probe->attempts, refused));
  CHECK(report.facts.inventory.orphans.total() == 0);
  CHECK(report.facts.inventory.token_private_keys == 1);
  CHECK(verdict(report, "KEY-2") == report::Verdict::pass);
}

TEST_CASE("a stranger's key of another kind is listed, and does not end the report") {
  World world;
  world.make_key_outside(kOtherTokenKey, "EC:edwards25519");
  const report::Report report = world.report();
  check_only(report.facts.inventory.orphans, kOtherTokenKey, "neither RSA nor EC");
  CHECK(report.facts.inventory.orphans.shown().front().name == "by hand");
}

TEST_CASE("accounts with roles that do not go together are told") {
  World world;
  world.insert_account("both", {"auditor=*", "issuer=folder:F"});
  world.insert_account("plain", {"issuer=folder:F"});
  const report::Report report = world.report();
  REQUIRE(report.facts.accounts.size() == 2);
  CHECK(report.facts.accounts.front().roles == std::vector<std::string>{"auditor", "issuer"});
  CHECK(verdict(report, "ACC-1") == report::Verdict::fail);
}

TEST_CASE("a report that takes too long ends at its deadline") {
  World world;
  world.generate("one");
  CHECK_THROWS_AS(world.compliance().make({}, deadline_in(std::chrono::milliseconds(0))), Error);
}
