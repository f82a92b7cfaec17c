// The RSA keys that sign access tokens: made in the token, never exported, rotated with an overlap.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/event.h"
#include "base/clock.h"
#include "hsm/token.h"
#include "store/account_store.h"

namespace hsmsigner::service {

// Thread safe. The command line rotates in another process: what the store says is looked at again for each token that
// is issued, and for each unknown kid.
class AccessTokenKeys {
 public:
  // Both outlive this object.
  AccessTokenKeys(hsm::Token& token, store::AccountStore& store, Clock clock)
      : token_(token), store_(store), clock_(std::move(clock)) {}

  // Sees to it that there is a key to sign with: makes one when there is none or the token lost it.
  void ensure(Deadline deadline);
  // Makes a new key. The one of before signs no more; what it signed is good until it expires. Keys whose tokens have
  // all expired are destroyed. Returns the new kid.
  std::string rotate(const audit::Origin& origin, Deadline deadline);

  struct Signing {
    std::string kid;
    std::shared_ptr<hsm::TokenKey> key;
  };
  // The newest. Throws Error{token_unavailable} when there is none.
  Signing signing_key();
  // To verify with; nothing for a kid that is not ours, or no longer.
  std::optional<RsaPublicKey> find(std::string_view kid);
  // What is published: the current key, and those of before whose tokens may still be about.
  std::vector<std::pair<std::string, RsaPublicKey>> published();

 private:
  using Records = std::vector<store::AccessTokenKeyRecord>;
  std::shared_ptr<const Records> records();
  std::shared_ptr<const Records> reload();
  bool is_good(const store::AccessTokenKeyRecord& record, UnixTime now) const;

  hsm::Token& token_;
  store::AccountStore& store_;
  Clock clock_;
  std::mutex mutex_;
  std::shared_ptr<const Records> records_;  // guarded by mutex_; newest first
};

}  // namespace hsmsigner::service
