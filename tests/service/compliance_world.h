// A token, a store and the services that fill them, for tests of the compliance report.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "service/audit_key.h"
#include "service/catalogue.h"
#include "service/compliance.h"
#include "service/compliance_reports.h"
#include "service/exchange.h"
#include "service/generation.h"
#include "service/name_reservations.h"
#include "service/sample_request.h"
#include "store/journal_reader.h"
#include "store/store.h"
#include "support/command.h"
#include "support/softhsm.h"

namespace service_test {

using namespace hsmsigner;
using std::chrono::days;
using std::chrono::seconds;

inline Deadline soon() { return deadline_in(seconds(30)); }

inline const std::string kOtherTokenKey = "00112233445566778899aabbccddeeff";

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
    service::GenerateRequest request = sample_request(name);
    request.days = 100;
    if (change) change(request);
    return generation_.generate(auth::Caller::service(), std::move(request), soon());
  }

  store::CertificateRecord import(const std::string& name, const std::string& algorithm = "rsa:2048",
                                  bool with_key = true) {
    const std::string key = directory_.file("key.pem"), certificate = directory_.file("certificate.pem");
    test_support::must_run({"openssl", "req", "-x509", "-newkey", algorithm, "-nodes", "-keyout", key, "-out",
                            certificate, "-subj", "/CN=" + name, "-days", "400"});
    service::ImportRequest request;
    request.container = Container{ContainerKind::folder, "F"};
    request.name = name;
    request.format = service::FileFormat::pem;
    request.certificate_file = Secret(test_support::read_file(certificate));
    if (with_key) request.key_file = Secret(test_support::read_file(key));
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
        [this] { return std::chrono::floor<std::chrono::milliseconds>(now()); }, {});
  }
  report::Report report(const service::ComplianceOptions& options = {}) {
    service::ReportSigner signer;
    if (audit_key_) signer.key = audit_key_->current();
    return compliance().make(options, signer, soon());
  }

  // The one that signs, made at the first call.
  service::AuditKey& audit_key() {
    if (!audit_key_) {
      audit_key_ =
          std::make_unique<service::AuditKey>(*token_, database_->journal(), database_->certificates(), system_now);
      audit_key_->ensure(soon());
    }
    return *audit_key_;
  }
  // As after a restart.
  void forget_audit_key() { audit_key_.reset(); }
  void checkpoint() { service::Checkpoints(database_->journal(), audit_key()).make(soon()); }
  void sqlite(const std::string& statement) {
    test_support::must_run({"sqlite3", "-cmd", ".timeout 10000", database_file(), statement});
  }

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
  std::unique_ptr<service::AuditKey> audit_key_;
};

inline report::Verdict verdict(const report::Report& report, std::string_view id) {
  const auto found = std::ranges::find(report.controls, id, &report::Control::id);
  REQUIRE(found != report.controls.end());
  return found->verdict;
}

// Its sentences, a line each.
inline std::string evidence(const report::Report& report, std::string_view id) {
  const auto found = std::ranges::find(report.controls, id, &report::Control::id);
  REQUIRE(found != report.controls.end());
  std::string all;
  for (const std::string& sentence : found->evidence) all += sentence + "\n";
  return all;
}

// The ids in a list, which must hold nothing else.
inline void check_only(const report::FindingList& list, const std::string& id, const std::string& part_of_detail) {
  REQUIRE(list.total() == 1);
  CHECK(list.shown().front().id == id);
  CHECK_MESSAGE(list.shown().front().detail.find(part_of_detail) != std::string::npos, list.shown().front().detail);
}

inline std::string hex_id(const Uuid& id) { return to_hex(id.bytes()); }

}  // namespace service_test
