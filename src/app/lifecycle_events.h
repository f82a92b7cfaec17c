// What the journal tells of the server itself: its settings, its start, its end.
#pragma once

#include <string>

#include "app/settings.h"
#include "base/clock.h"
#include "policy/policies.h"
#include "store/journal_store.h"

namespace hsmsigner::app {

// Two events before the server serves. settings_changed, unless the last of its kind has the very same settings: one
// detail for each, named as in `config show` with its value as TOML there, then `policy.profile.NAME` for each profile
// with the SHA-256 of its text, and before them `changed`, the names of those that differ, joined by ", " ("*" when
// none were on record). Then server_started, with `version`, `url`, `process_id` and `settings_sha256`, the SHA-256 of
// what `hsm-signer config show` prints. Throws Error{journal_unavailable}: then the server must not serve.
void tell_started(store::JournalStore& journal, const Settings& settings, const policy::Policies& policies,
                  const std::string& url, Deadline deadline);

// How the server came to its end.
enum class End { asked, by_itself };

// server_stopped, with the outcome failed when nobody asked for the end. Throws likewise.
void tell_stopped(store::JournalStore& journal, End end, Deadline deadline);

}  // namespace hsmsigner::app
