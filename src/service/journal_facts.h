// What the compliance report says of the journal. Private to this room.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "audit/journal_source.h"
#include "base/clock.h"
#include "report/model.h"
#include "service/token_set.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

// Names of the details of the event report_made, by which the next report finds out what this one stated.
inline constexpr const char* kReportedSequence = "journal_sequence";
inline constexpr const char* kReportedHead = "journal_head";

struct JournalSources {
  const TokenSet& tokens;
  store::JournalStore& journal;
  const std::function<std::unique_ptr<audit::JournalSource>()>& open;
};

// Verifies the whole journal that is here, and has the tokens' keys answer for those that signed its checkpoints: what
// the database says of them is no proof. `signer`: the audit key that signs the report. Throws Error{session_timeout}
// past the deadline, and as answer_of() (own_keys.h).
report::JournalFacts journal_facts(const JournalSources& sources, const std::optional<store::AuditKeyRecord>& signer,
                                   const std::function<UnixMillis()>& clock, Deadline deadline);

}  // namespace hsmsigner::service
