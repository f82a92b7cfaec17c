// `hsm-signer audit ...`: the journal checked, handed out and archived. None needs the token or its PIN.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "app/settings.h"
#include "base/clock.h"

namespace hsmsigner::app {

struct AuditVerifyOptions {
  std::vector<std::string> files;        // exports and archives, in their order; before the database, if there is one
  std::string database;                  // the SQLite file; "": none
  std::vector<std::string> keys;         // PEM files; when there are any, only these keys are trusted
  std::vector<std::string> checkpoints;  // files of JWS, one a line
  bool part = false;                     // the events before the first one here are checked elsewhere
};

inline constexpr int kExitIntact = 0;
inline constexpr int kExitTampered = 1;
inline constexpr int kExitUnreadable = 2;  // nothing can be said of the journal, or not all that was asked

// Writes its findings to `out`, the first line being "intact" or beginning with "tampered" or "NOT VOUCHED FOR", and
// returns one of the three codes. Shows its progress on standard error if that is a terminal. Throws Error when
// something cannot be read, which is kExitUnreadable, whatever the kind.
int verify_journal(const AuditVerifyOptions& options, std::ostream& out);

// The journal in the form of audit/journal_file.h, to `output` (made, mode 0600, never replaced) or else to `out`.
void export_journal(const Settings& settings, const std::string& output, std::optional<std::uint64_t> after,
                    std::ostream& out);

// The last checkpoint's JWS in a line. Throws Error{invalid_object} when there is none.
void show_last_checkpoint(const Settings& settings, std::ostream& out);

// The audit key of this id, or else the newest, in PEM to `out`; to `notes`, its SHA-256 and that this is the word of
// the database alone. Throws Error{invalid_object} when there is none.
void show_audit_key(const Settings& settings, const std::string& kid, std::ostream& out, std::ostream& notes);

// Moves the events up to the last checkpoint before `before` into `output` (made, mode 0600, never replaced), which is
// verified before they are removed, and says what it did. Throws Error{invalid_object} when there is no such
// checkpoint.
void archive_journal(const Settings& settings, UnixMillis before, const std::string& output, std::ostream& out);

}  // namespace hsmsigner::app
