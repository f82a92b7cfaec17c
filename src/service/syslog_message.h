// An event as a syslog message (RFC 5424).
#pragma once

#include <string>

#include "store/journal_store.h"

namespace hsmsigner::service {

// Who sends it, the same in every message.
struct SyslogOrigin {
  std::string host_name;   // HOSTNAME: 1 to 255 visible ASCII characters, or "-"
  std::string process_id;  // PROCID
};
// Of this machine and process.
SyslogOrigin syslog_origin();

// `header`, a blank and `body` together are the message; `header` alone is one as well (RFC 5424 6: MSG may be left
// out), for a transport that cannot carry all of it.
struct SyslogMessage {
  std::string header;  // <110>1 TIMESTAMP HOSTNAME hsm-signer PROCID certificate_issued [journal@32473 …]
  std::string body;    // the canonical line; after a byte order mark when it has characters beyond ASCII (6.4)
  std::string text() const { return header + " " + body; }
};

// Facility 13 (log audit); severity 6 (informational) for what was done, 4 (warning) for what was refused, 3 (error)
// for what failed, 2 (critical) without TIMESTAMP and MSGID for a line that is no event, as somebody has changed the
// store: that is told, and not stuck at. TIMESTAMP is the event's. The structured data are `sequence` and `hash`, by
// which the chain can be followed; their SD-ID has the enterprise number that RFC 5612 keeps for documentation, as this
// program has none.
SyslogMessage syslog_message(const store::JournalLine& line, const SyslogOrigin& origin);

}  // namespace hsmsigner::service
