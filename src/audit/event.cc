#include "audit/event.h"

#include <algorithm>
#include <array>

namespace hsmsigner::audit {
namespace {

// The table, in the order of the enumerators.
constexpr EventKindInfo kKinds[] = {
    {EventKind::server_started, "server_started", "", "The server began to serve."},
    {EventKind::server_stopped, "server_stopped", "", "The server ended in order; without it, it was killed."},
    {EventKind::settings_changed, "settings_changed", "",
     "The server started with other settings than the last time; the details are all of them."},
    {EventKind::certificate_issued, "certificate_issued", "certificate id",
     "A key was made in the token and a certificate for it signed."},
    {EventKind::signing_request_made, "signing_request_made", "certificate id",
     "A key was made in the token and a PKCS#10 request for it signed."},
    {EventKind::certificate_imported, "certificate_imported", "certificate id",
     "A certificate came from outside: alone, with its key, or as the answer to a signing request."},
    {EventKind::certificate_exported, "certificate_exported", "certificate id",
     "A certificate or signing request was given out, without a key."},
    {EventKind::private_key_exported, "private_key_exported", "certificate id",
     "A private key left the token, encrypted under the caller's passphrase."},
    {EventKind::deletion_begun, "deletion_begun", "certificate id",
     "A certificate is about to lose its key; certificate_deleted or deletion_abandoned follows."},
    {EventKind::deletion_abandoned, "deletion_abandoned", "certificate id",
     "The token did not destroy the key; the certificate stays."},
    {EventKind::certificate_deleted, "certificate_deleted", "certificate id",
     "The key is destroyed and the certificate removed."},
    {EventKind::request_refused, "request_refused", "what the request was about",
     "A request that would have changed or given out something was refused or failed."},
    {EventKind::authentication_failed, "authentication_failed", "",
     "A caller could not show who it is; `account` is who it said it is."},
    {EventKind::authorization_failed, "authorization_failed", "what the request was about",
     "A caller asked for what its roles do not allow."},
    {EventKind::failures_summarized, "failures_summarized", "",
     "Failures followed each other so fast that they were counted, not told one by one; `most` names whose."},
    {EventKind::access_token_issued, "access_token_issued", "jti of the token",
     "An account was given an access token."},
    {EventKind::account_created, "account_created", "account", "An account was made."},
    {EventKind::account_secret_rotated, "account_secret_rotated", "account", "An account was given a new secret."},
    {EventKind::account_disabled, "account_disabled", "account", "An account was disabled."},
    {EventKind::account_enabled, "account_enabled", "account", "An account was enabled again."},
    {EventKind::access_token_key_made, "access_token_key_made", "key id",
     "A key that signs access tokens was made in the token."},
    {EventKind::access_token_key_destroyed, "access_token_key_destroyed", "key id",
     "An old key that signed access tokens was destroyed."},
    {EventKind::audit_key_made, "audit_key_made", "key id",
     "A key that signs checkpoints, evidence and reports was made in the token; the details have its public half."},
    {EventKind::token_lost, "token_lost", "token serial", "The token stopped answering."},
    {EventKind::token_back, "token_back", "token serial", "The token answers again."},
    {EventKind::token_probed, "token_probed", "token serial", "It was tried whether the token gives keys out."},
    {EventKind::key_destroyed, "key_destroyed", "key id",
     "A key without a certificate was destroyed: a probe's, or one that a failed request or a crash had left."},
    {EventKind::pool_filled, "pool_filled", "",
     "Keys were made in the token ahead of certificates to come; `ids` tells which."},
    {EventKind::pool_key_adopted, "pool_key_adopted", "key id",
     "A key that a crash had left in the token was found to be as it should and taken into the pool."},
    {EventKind::pool_key_lost, "pool_key_lost", "key id", "A key of the pool was no longer in the token."},
    {EventKind::pool_forgotten, "pool_forgotten", "",
     "All keys were taken out of the pool and left in the token, as after a backup was restored."},
    {EventKind::evidence_given, "evidence_given", "certificate id",
     "Evidence on a key was read from the token and signed."},
    {EventKind::report_made, "report_made", "", "A compliance report was made."},
    {EventKind::journal_archived, "journal_archived", "", "Older events were moved to an archive."},
};
constexpr std::string_view kOutcomes[] = {"done", "refused", "failed"};

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(kKinds); ++i) {
    if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const EventKindInfo> event_kinds() noexcept { return kKinds; }

const EventKindInfo& info(EventKind kind) noexcept { return kKinds[static_cast<std::size_t>(kind)]; }

std::optional<EventKind> event_kind_from(std::string_view name) noexcept {
  for (const EventKindInfo& row : kKinds) {
    if (row.name == name) return row.kind;
  }
  return std::nullopt;
}

std::string_view to_string(Outcome outcome) noexcept { return kOutcomes[static_cast<std::size_t>(outcome)]; }

std::optional<Outcome> outcome_from(std::string_view name) noexcept {
  for (std::size_t i = 0; i < std::size(kOutcomes); ++i) {
    if (kOutcomes[i] == name) return static_cast<Outcome>(i);
  }
  return std::nullopt;
}

}  // namespace hsmsigner::audit
