#include "service/access.h"

#include "auth/access_token.h"
#include "auth/secret_hash.h"
#include "base/error.h"
#include "base/log.h"
#include "base/uuid.h"
#include "service/accounts.h"

namespace hsmsigner::service {
namespace {

// Hashed against when there is no such account, so that an unknown client id takes as long as a known one.
const store::SecretHash& nobody() {
  static const store::SecretHash hash{Bytes(auth::kSaltOctets, 0), Bytes(32, 0)};
  return hash;
}

bool matches(const Secret& secret, const store::SecretHash& hash) {
  return auth::equal_in_constant_time(auth::hash_secret(secret, hash.salt), hash.hash);
}

Error no_such_client() {
  return Error(ErrorKind::invalid_credential, {"client_id, client_secret: are not those of an enabled account"});
}

}  // namespace

Access::Match Access::match(const store::AccountRecord& account, const Secret& secret, UnixTime now) const {
  if (matches(secret, account.secret)) return Match::current;
  const bool previous =
      account.previous_secret && now < account.previous_secret_end && matches(secret, *account.previous_secret);
  return previous ? Match::previous : Match::none;
}

void Access::fail(FailureJournal::Of known, audit::Origin origin, const std::string& reason, Error error,
                  Deadline deadline) {
  log::warning("authentication failed", {{"account", origin.account}, {"address", origin.address}, {"reason", reason}});
  audit::Event event{
      .kind = audit::EventKind::authentication_failed, .outcome = audit::Outcome::refused, .origin = std::move(origin)};
  event.details = {{"reason", reason}};
  failures_.note(known, event, deadline);
  throw error;
}

IssuedToken Access::issue_token(const audit::Origin& origin, const std::string& client_id, const Secret& client_secret,
                                const std::string& scope, Deadline deadline) {
  const UnixTime now = clock_();
  audit::Origin who = origin;
  // What is no client id might be a secret in the wrong place.
  who.account = fault_of_client_id(client_id) ? "(no client id)" : client_id;
  const auto account = accounts_.find(client_id);
  if (!account) matches(client_secret, nobody());
  const Match matched = account ? match(*account, client_secret, now) : Match::none;
  if (matched == Match::none) {
    const auto wait = throttle_.note_failure(client_id, origin.address, std::chrono::steady_clock::now());
    const Error slowed = Error(ErrorKind::too_many_requests, {"client_id: too many attempts with a wrong secret"})
                             .with_retry_after(wait);
    const auto known = account ? FailureJournal::Of::account : FailureJournal::Of::stranger;
    fail(known, who, account ? "wrong secret" : "no such account", wait.count() == 0 ? no_such_client() : slowed,
         deadline);
  }
  throttle_.note_success(client_id, origin.address);
  if (!account->enabled) fail(FailureJournal::Of::account, who, "the account is disabled", no_such_client(), deadline);
  if (account->expires_at && now >= *account->expires_at) {
    fail(FailureJournal::Of::account, who, "the account has expired",
         Error(ErrorKind::key_expired, {"client_id: the account has expired"}), deadline);
  }

  auth::AccessTokenClaims claims;
  claims.client_id = client_id;
  claims.scope = scope;
  claims.generation = account->generation;
  claims.previous_secret = matched == Match::previous;
  claims.token_id = Uuid::random().to_string();
  claims.issued_at = now;
  claims.expires_at = now + auth::kAccessTokenLifetime;
  const AccessTokenKeys::Signing signing = keys_.signing_key();
  IssuedToken issued{auth::issue_access_token(claims, signing.kid, *signing.key, deadline), auth::kAccessTokenLifetime,
                     scope};
  audit::Event event{
      .kind = audit::EventKind::access_token_issued, .origin = std::move(who), .object = claims.token_id};
  event.details = {{"kid", signing.kid}};
  if (claims.previous_secret) event.details.emplace_back("secret", "the one of before the last rotation");
  journal_.append(event, deadline);
  return issued;
}

Identity Access::identity_of(const store::AccountRecord& account, UnixTime now) const {
  if (account.expires_at && now >= *account.expires_at) {
    throw Error(ErrorKind::key_expired, {"Authorization: the account has expired"});
  }
  std::vector<auth::Grant> grants;
  for (const std::string& text : account.grants) grants.push_back(auth::Grant::parse(text));
  return {auth::Caller(account.client_id, std::move(grants)), account.generation, true, account.secret_initial};
}

Identity Access::identify(std::string_view access_token, std::string& claimed) {
  const UnixTime now = clock_();
  const auth::AccessTokenClaims claims = verified_.verify(
      access_token, [this](std::string_view kid) { return keys_.find(kid); }, now);
  claimed = claims.client_id;
  const auto account = accounts_.find(claims.client_id);
  if (!account || !account->enabled || account->generation != claims.generation) {
    throw Error(ErrorKind::invalid_credential,
                {"Authorization: the access token was revoked, as its account was rotated, disabled or removed"});
  }
  Identity identity = identity_of(*account, now);
  identity.may_rotate = !claims.previous_secret;
  return identity;
}

Identity Access::identify(const PeerCertificate& certificate, std::string& claimed) {
  claimed = "certificate " + certificate.fingerprint_sha256;
  const auto account = accounts_.find_by_certificate(certificate.fingerprint_sha256, certificate.subject);
  if (account) claimed = account->client_id;
  if (!account || !account->enabled) {
    throw Error(ErrorKind::invalid_credential, {"the client certificate is bound to no enabled account"});
  }
  Identity identity = identity_of(*account, clock_());
  identity.must_rotate = false;  // the certificate is no secret that was handed out
  return identity;
}

}  // namespace hsmsigner::service
