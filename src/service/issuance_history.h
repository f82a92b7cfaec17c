// What the records tell of how certificates were issued, for the compliance report. Private to this room.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/clock.h"
#include "report/model.h"
#include "store/certificate_record.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

// What the journal tells of certificates.
struct JournalCoverage {
  std::optional<UnixMillis> since;             // time of the oldest event; none: there is none
  std::unordered_set<std::string> told_about;  // ids of records that an event tells the making of
};
// Reads every event that tells of a record being made. Throws Error{session_timeout} past the deadline.
JournalCoverage read_coverage(store::JournalStore& journal, Deadline deadline);

class IssuanceHistory {
 public:
  IssuanceHistory(JournalCoverage coverage, UnixTime now);

  // Each record once; a second time is not counted.
  void add(const store::CertificateRecord& record);
  report::Issuance finished();

 private:
  void count_serial(const store::CertificateRecord& record);
  void count_expiry(const store::CertificateRecord& record);
  void count_event(const store::CertificateRecord& record);

  const JournalCoverage coverage_;
  const UnixTime now_;
  std::unordered_set<Uuid> seen_;
  std::unordered_set<std::string> serials_;                                 // issuer and number
  std::map<std::pair<bool, unsigned>, report::AlgorithmCount> algorithms_;  // EC or not, bits
  report::Issuance issuance_;
};

}  // namespace hsmsigner::service
