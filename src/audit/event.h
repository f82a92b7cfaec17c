// What the journal tells: one event for each decision. Values only; the store keeps them, service/journal makes them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hsmsigner::audit {

// One enumerator per row of the table in event.cc, which gives its name and what `object` is.
enum class EventKind {
  server_started,
  server_stopped,
  settings_changed,
  certificate_issued,
  signing_request_made,
  certificate_imported,
  certificate_exported,
  private_key_exported,
  deletion_begun,
  deletion_abandoned,
  certificate_deleted,
  request_refused,
  authentication_failed,
  authorization_failed,
  failures_summarized,
  access_token_issued,
  account_created,
  account_secret_rotated,
  account_disabled,
  account_enabled,
  access_token_key_made,
  access_token_key_destroyed,
  audit_key_made,
  token_lost,
  token_back,
  token_probed,
  key_destroyed,
  pool_filled,
  pool_key_adopted,
  pool_key_lost,
  pool_forgotten,
  evidence_given,
  report_made,
  journal_archived,
};

struct EventKindInfo {
  EventKind kind;
  std::string_view name;     // "certificate_issued"
  std::string_view object;   // what Event::object is: "certificate id", "account", …; "": nothing
  std::string_view meaning;  // a sentence, for docs/AUDIT.md and /openapi.json
};
std::span<const EventKindInfo> event_kinds() noexcept;
const EventKindInfo& info(EventKind kind) noexcept;
std::optional<EventKind> event_kind_from(std::string_view name) noexcept;

enum class Outcome { done, refused, failed };
std::string_view to_string(Outcome outcome) noexcept;
std::optional<Outcome> outcome_from(std::string_view name) noexcept;

// Who caused it. Every member may be "": the service itself, or not known.
struct Origin {
  std::string account{};     // client id; "local:NAME" for a user of the command line
  std::string address{};     // IP address; "" on the command line
  std::string request_id{};  // X-Request-ID
  std::string
      request_digest{};  // SHA-256 of the request's body, hexadecimal; "" when there was none, or it held secrets
};

// Never a secret, a passphrase, a key, or a library's own text. Any octets may be given: what is not UTF-8 or too long
// is replaced when the line is made (event_line.h).
struct Event {
  EventKind kind;
  Outcome outcome = Outcome::done;
  Origin origin{};
  std::string object{};
  std::string container{};                                     // "folder:Payments"
  std::vector<std::pair<std::string, std::string>> details{};  // in this order; each name once, in lower_case
};

}  // namespace hsmsigner::audit
