// What the compliance report says of the journal. Private to this room.
#pragma once

#include <functional>
#include <memory>

#include "audit/journal_source.h"
#include "base/clock.h"
#include "report/model.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

// Names of the details of the event report_made, by which the next report finds out what this one stated.
inline constexpr const char* kReportedSequence = "journal_sequence";
inline constexpr const char* kReportedHead = "journal_head";

// Verifies the whole journal that is here. Throws Error{session_timeout} past the deadline.
report::JournalFacts journal_facts(store::JournalStore& journal,
                                   const std::function<std::unique_ptr<audit::JournalSource>()>& open,
                                   Deadline deadline);

}  // namespace hsmsigner::service
