// Use case: make the compliance report over a journal that a checkpoint covers, sign it, and tell the journal, before
// anybody has it.
#pragma once

#include <mutex>
#include <string>
#include <utility>

#include "base/clock.h"
#include "report/model.h"
#include "report/statement.h"
#include "service/actor.h"
#include "service/audit_key.h"
#include "service/checkpoints.h"
#include "service/compliance.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

struct SignedReport {
  std::string text;       // octets of the file
  std::string signature;  // JWS over a report::Statement of them
  report::Verdict verdict = report::Verdict::not_applicable;
};

// Thread safe; one report at a time.
class ComplianceReports {
 public:
  // All of them outlive this object; the audit key has been ensured before make() is called. `usual`: what is asked for
  // when a caller does not say.
  ComplianceReports(Compliance& compliance, AuditKey& audit_key, store::JournalStore& journal,
                    ComplianceOptions usual = {})
      : compliance_(compliance),
        audit_key_(audit_key),
        journal_(journal),
        checkpoints_(journal, audit_key),
        usual_(std::move(usual)) {}

  // Returns once the event report_made is durable. Throws Error: too_many_requests while another one is being made;
  // journal_unavailable; what Compliance::make and AuditKey::sign throw.
  SignedReport make(const Actor& actor, report::Format format, const ComplianceOptions& options, Deadline deadline);
  SignedReport make(const Actor& actor, report::Format format, Deadline deadline) {
    return make(actor, format, usual_, deadline);
  }

 private:
  std::string cover_journal(Deadline deadline);

  Compliance& compliance_;
  AuditKey& audit_key_;
  store::JournalStore& journal_;
  Checkpoints checkpoints_;
  const ComplianceOptions usual_;
  std::mutex one_at_a_time_;
};

}  // namespace hsmsigner::service
