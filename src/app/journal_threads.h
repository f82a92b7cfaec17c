// What runs beside the requests for the journal: checkpoints, and live copies where the settings ask for them.
#pragma once

#include <memory>
#include <vector>

#include "app/settings.h"
#include "base/clock.h"
#include "service/audit_key.h"
#include "service/checkpointer.h"
#include "service/checkpoints.h"
#include "service/failure_journal.h"
#include "service/journal_copy.h"
#include "store/journal_store.h"

namespace hsmsigner::app {

class JournalThreads {
 public:
  // All but `settings` outlive this object.
  JournalThreads(store::JournalStore& journal, service::AuditKey& key, service::FailureJournal& failures,
                 const AuditSettings& settings);

  // After the last event: the last checkpoint, and what the copies have not got yet. What cannot be done by the
  // deadline is logged, and done after the next start. A try that is under way at first may take kOneTry more.
  void finish(Deadline deadline);
  static constexpr std::chrono::seconds kOneTry{10};

 private:
  service::Checkpoints checkpoints_;
  service::Checkpointer checkpointer_;
  std::vector<std::unique_ptr<service::JournalCopy>> copies_;
};

}  // namespace hsmsigner::app
