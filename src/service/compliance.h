// Use case: gather the facts of the compliance report. Changes nothing but for the throwaway keys of the probe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "audit/journal_source.h"
#include "base/algorithm.h"
#include "base/clock.h"
#include "report/model.h"
#include "service/checkpointer.h"
#include "service/token_set.h"
#include "store/account_store.h"
#include "store/certificate_store.h"
#include "store/journal_store.h"
#include "store/key_pool_store.h"

namespace hsmsigner::service {

inline constexpr std::size_t kAllKeys = static_cast<std::size_t>(-1);

struct ComplianceOptions {
  // How many keys sign a challenge: a sample drawn at random when there are more. What is left out is told.
  std::size_t most_challenges = kAllKeys;
  bool challenge = true;
  std::vector<KeyAlgorithm> probe = {};  // of each that a token makes, it makes a throwaway key; none: no probe
  std::stop_token stop = {};             // ends the probe early; for `progress` to end the rest
  // Called now and then: a step's name, how far it is, and of how many. What it throws ends the report.
  std::function<void(const std::string& step, std::size_t done, std::size_t all)> progress = {};
};

// Who is to sign the report (compliance_reports.h).
struct ReportSigner {
  std::optional<store::AuditKeyRecord> key;
  // Called once, before the journal is verified: has checkpoints cover it, so that what the report says of it is
  // covered. Returns why none was made; "": nothing kept it from that.
  std::function<std::string()> cover_journal = {};
};

// Thread safe.
class Compliance {
 public:
  struct Sources {  // all of them outlive this object
    const TokenSet& tokens;
    store::CertificateStore& certificates;
    store::AccountStore& accounts;
    store::JournalStore& journal;
    store::KeyPoolStore* key_pool = nullptr;  // keys made ahead are no orphans
  };
  // The whole journal as it stands, to be verified from the outside (store/journal_reader.h).
  using OpenJournal = std::function<std::unique_ptr<audit::JournalSource>()>;

  Compliance(Sources sources, OpenJournal open_journal, std::string service_version, std::function<UnixMillis()> clock,
             CheckpointRhythm rhythm);

  // The records and the token go on changing meanwhile: what seems missing or needless is looked for once more before
  // it is told. Throws Error: session_timeout past the deadline, token_unavailable, internal_error.
  report::Report make(const ComplianceOptions& options, const ReportSigner& signer, Deadline deadline);

 private:
  report::ProbedToken probed(hsm::Token& token, const ComplianceOptions& options, Deadline deadline) const;

  Sources sources_;
  OpenJournal open_journal_;
  std::string service_version_;
  std::function<UnixMillis()> clock_;
  CheckpointRhythm rhythm_;
};

}  // namespace hsmsigner::service
