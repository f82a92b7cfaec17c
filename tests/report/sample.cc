#include "report/sample.h"

#include "report/controls.h"

namespace test_support {

using namespace hsmsigner;
using namespace hsmsigner::report;

namespace {

UnixMillis moment() { return *parse_date_time("2026-11-25T09:30:15.250Z"); }

void fill(Inventory& inventory) {
  inventory.certificates = 1843;
  inventory.pending = 7;
  inventory.authorities = 5;
  inventory.with_key = 1846;
  inventory.without_key = 4;
  inventory.token_private_keys = 1851;
  inventory.service_keys = 3;
  inventory.non_exportable = 1799;
  inventory.orphans.add({"5f1e7a0b6d3c4e8f9a0b1c2d3e4f5a6b", "hsm-signer 5f1e7a0b-6d3c-4e8f-9a0b-1c2d3e4f5a6b", "",
                         "P-256, not exportable"});
  inventory.missing.add({"0d9c8b7a-1111-4222-8333-444455556666", "payments-gateway", "folder:Payments",
                         "no private key in the token has this CKA_ID"});
  inventory.mismatches.add({"0d9c8b7a-1111-4222-8333-444455557777", kHostileName, "folder:Payments",
                            "its signature does not verify under the certificate"});
  inventory.weak.add({"0d9c8b7a-1111-4222-8333-444455558888", "legacy-terminal", "device:Branch 7", "RSA-1024"});
  for (int i = 0; i < 140; ++i) {
    inventory.exportable.add({"0d9c8b7a-1111-4222-8333-" + std::to_string(100000000000 + i),
                              "backup-" + std::to_string(i), "folder:Escrow", "CKA_EXTRACTABLE is true"});
  }
  inventory.expiring_30.add({"0d9c8b7a-1111-4222-8333-444455559999", "käse \xE2\x80\xAEmoc.elpmaxe", "folder:Web",
                             "expires 2026-12-08T00:00:00Z"});
}

void fill(Issuance& issuance) {
  issuance.issued_here = 1839;
  issuance.shortest_serial_bits = 148;
  issuance.end_entities = 1834;
  issuance.covered_by_journal = 1790;
  issuance.made_before_journal = 56;
  issuance.expired = 23;
  issuance.later = 5;
  for (unsigned i = 0; i < 24; ++i) {
    const unsigned month = 10 + i;
    issuance.per_month.push_back({2026 + static_cast<int>(month / 12), month % 12 + 1, (i * 37 + 11) % 151});
  }
  const std::chrono::sys_days today = std::chrono::floor<std::chrono::days>(moment());
  for (unsigned i = 0; i < 90; ++i) {
    const std::chrono::sys_days day = today - std::chrono::days(89 - i);
    const bool weekend =
        std::chrono::weekday(day) == std::chrono::Saturday || std::chrono::weekday(day) == std::chrono::Sunday;
    issuance.per_day.push_back({day, weekend ? 0 : (i * 29 + 5) % 47});
  }
  issuance.algorithms = {{"RSA-1024", 1, 1}, {"RSA-2048", 412, 0}, {"P-256", 1305, 0}, {"P-384", 125, 0}};
}

}  // namespace

Facts sample_facts() {
  Facts facts;
  facts.made_at = moment();
  facts.service_version = "0.1.0";
  facts.token = {"my-ca",
                 "SoftHSM project",
                 "SoftHSM v2",
                 "1f0c6b1d5e7a9b3c",
                 "2.6",
                 "/usr/lib/softhsm/libsofthsm2.so",
                 "Implementation of PKCS11 2.6",
                 true,
                 {"RSA-2048", "P-256"}};
  facts.probe = ProbeFacts{
      moment(),
      {"RSA-2048", "P-256"},
      {{"RSA-2048", "C_GetAttributeValue CKA_PRIVATE_EXPONENT", "CKR_ATTRIBUTE_SENSITIVE (0x11)", "refused", true,
        false},
       {"RSA-2048", "C_WrapKey CKM_AES_KEY_WRAP_PAD", "CKR_KEY_UNEXTRACTABLE (0x6a)", "refused", true, false},
       {"P-256", "C_SetAttributeValue CKA_EXTRACTABLE true", "CKR_ATTRIBUTE_READ_ONLY (0x10)", "refused", true, false},
       {"P-256", "C_CopyObject CKA_SENSITIVE false", "CKR_ATTRIBUTE_READ_ONLY (0x10)", "refused", true, false}},
      ProbeOutcome::keeps_keys,
      {}};
  fill(facts.inventory);
  facts.challenges = Challenges{true, 1837, 200, 199, 413, 7, 1, 0, 1, 0};
  fill(facts.issuance);
  facts.accounts = {{"auditor-1", true, false, false, {"auditor=*"}, {"auditor"}},
                    {"both", true, false, true, {"auditor=*", "issuer=folder:Payments"}, {"auditor", "issuer"}},
                    {"former", false, false, false, {"administrator=*", "issuer=*"}, {"administrator", "issuer"}},
                    {"root", true, false, false, {"administrator=*", "issuer=*"}, {"administrator", "issuer"}}};
  facts.journal.first = 1;
  facts.journal.sequence = 20417;
  facts.journal.head = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  facts.journal.checkpoints = 41;
  facts.journal.last_checkpoint = CheckpointFacts{41, 20400, moment()};
  facts.journal.keys = {{"3b1c0c58-7d1c-4a57-9a75-2f6fd2f2c001",
                         "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13", 41, 20400,
                         KeyAnswer::answers, true}};
  facts.journal.key_made = 1;
  facts.journal.waiting = std::chrono::seconds(40);
  facts.journal.promise = {1000, std::chrono::seconds(300)};
  facts.journal.check = JournalCheck{true, 1, 20417, ""};
  facts.journal.last_report = LastReport{17003, *parse_date_time("2026-10-25T09:00:00.000Z"),
                                         17002, "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                                         true,  false};
  facts.audit_key = AuditKeyFacts{"3b1c0c58-7d1c-4a57-9a75-2f6fd2f2c001",
                                  "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13"};
  return facts;
}

Report sample_report() {
  Facts facts = sample_facts();
  std::vector<Control> controls = judge(facts);
  return {std::move(facts), std::move(controls)};
}

Facts empty_facts() {
  Facts facts;
  facts.made_at = moment();
  facts.service_version = "0.1.0";
  return facts;
}

}  // namespace test_support
