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

IssuedToken Access::issue_token(const std::string& client_id, const Secret& client_secret, const std::string& scope,
                                const std::string& address, Deadline deadline) {
  const UnixTime now = clock_();
  const auto account = accounts_.find(client_id);
  if (!account) matches(client_secret, nobody());
  const Match matched = account ? match(*account, client_secret, now) : Match::none;
  if (matched == Match::none) {
    const auto wait = throttle_.note_failure(client_id, address, std::chrono::steady_clock::now());
    log::warning("authentication failed", {{"account", fault_of_client_id(client_id) ? "(no client id)" : client_id},
                                           {"address", address},
                                           {"reason", account ? "wrong secret" : "no such account"},
                                           {"wait_seconds", static_cast<std::int64_t>(wait.count())}});
    if (wait.count() == 0) throw no_such_client();
    throw Error(ErrorKind::too_many_requests, {"client_id: too many attempts with a wrong secret"})
        .with_retry_after(wait);
  }
  throttle_.note_success(client_id, address);
  if (!account->enabled) {
    log::warning("authentication failed", {{"account", client_id}, {"address", address}, {"reason", "disabled"}});
    throw no_such_client();
  }
  if (account->expires_at && now >= *account->expires_at) {
    throw Error(ErrorKind::key_expired, {"client_id: the account has expired"});
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
  return {auth::issue_access_token(claims, signing.kid, *signing.key, deadline), auth::kAccessTokenLifetime, scope};
}

Identity Access::identity_of(const store::AccountRecord& account, UnixTime now) const {
  if (account.expires_at && now >= *account.expires_at) {
    throw Error(ErrorKind::key_expired, {"Authorization: the account has expired"});
  }
  std::vector<auth::Grant> grants;
  for (const std::string& text : account.grants) grants.push_back(auth::Grant::parse(text));
  return {auth::Caller(account.client_id, std::move(grants)), account.generation, true, account.secret_initial};
}

Identity Access::identify(std::string_view access_token) {
  const UnixTime now = clock_();
  const auth::AccessTokenClaims claims = auth::verify_access_token(
      access_token, [this](std::string_view kid) { return keys_.find(kid); }, now);
  const auto account = accounts_.find(claims.client_id);
  if (!account || !account->enabled || account->generation != claims.generation) {
    throw Error(ErrorKind::invalid_credential,
                {"Authorization: the access token was revoked, as its account was rotated, disabled or removed"});
  }
  Identity identity = identity_of(*account, now);
  identity.may_rotate = !claims.previous_secret;
  return identity;
}

Identity Access::identify(const PeerCertificate& certificate) {
  const auto account = accounts_.find_by_certificate(certificate.fingerprint_sha256, certificate.subject);
  if (!account || !account->enabled) {
    throw Error(ErrorKind::invalid_credential, {"the client certificate is bound to no enabled account"});
  }
  Identity identity = identity_of(*account, clock_());
  identity.must_rotate = false;  // the certificate is no secret that was handed out
  return identity;
}

}  // namespace hsmsigner::service
