// Who is calling: client secrets and certificates to access tokens, access tokens to callers (HTTP contract, section
// 6).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "audit/event.h"
#include "auth/failure_throttle.h"
#include "auth/roles.h"
#include "auth/verified_tokens.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/transport.h"
#include "service/access_token_keys.h"
#include "service/failure_journal.h"
#include "store/account_store.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

struct Identity {
  auth::Caller caller;
  std::uint64_t generation = 0;  // of the account, as it was
  bool may_rotate = true;    // not with the secret of before: whoever has that one only must not take the account over
  bool must_rotate = false;  // its secret is initial: nothing but the rotation is open to it
};

struct IssuedToken {
  std::string token;
  std::chrono::seconds expires_in;
  std::string scope;
};

// Thread safe.
class Access {
 public:
  // All of them outlive this object.
  Access(store::AccountStore& accounts, store::JournalStore& journal, FailureJournal& failures, AccessTokenKeys& keys,
         Clock clock, auth::ThrottleLimits limits = {})
      : accounts_(accounts),
        journal_(journal),
        failures_(failures),
        keys_(keys),
        clock_(std::move(clock)),
        throttle_(limits) {}

  // Client credentials (RFC 6749 4.4). `scope` goes into the token as it is. Throws Error: invalid_credential (unknown
  // client, wrong secret, disabled account), key_expired (the account's end has passed, told to who knows the secret
  // only), too_many_requests with the seconds to wait after failures, and what signing throws. Of `origin` the account
  // is not looked at. The journal is told of either outcome.
  IssuedToken issue_token(const audit::Origin& origin, const std::string& client_id, const Secret& client_secret,
                          const std::string& scope, Deadline deadline);

  // `claimed` becomes whose credential it is, once that is sure, also when it is refused: a client id, or "certificate
  // AA:BB:…" of one that is bound to no account.
  // From an access token. Its signature is verified once (auth/verified_tokens.h); the account is read each time, so
  // that what was done to it counts at once. Throws Error: key_too_long,
  // invalid_credential, key_expired.
  Identity identify(std::string_view access_token, std::string& claimed);
  // From a client certificate that was verified. Throws Error{invalid_credential} when it is bound to no account.
  Identity identify(const PeerCertificate& certificate, std::string& claimed);

 private:
  enum class Match { none, current, previous };
  Match match(const store::AccountRecord& account, const Secret& secret, UnixTime now) const;
  Identity identity_of(const store::AccountRecord& account, UnixTime now) const;

  // Writes of a failure, and throws what is to be answered.
  [[noreturn]] void fail(FailureJournal::Of known, audit::Origin origin, const std::string& reason, Error error,
                         Deadline deadline);

  store::AccountStore& accounts_;
  store::JournalStore& journal_;
  FailureJournal& failures_;
  AccessTokenKeys& keys_;
  Clock clock_;
  auth::FailureThrottle throttle_;
  auth::VerifiedTokens verified_;
};

}  // namespace hsmsigner::service
