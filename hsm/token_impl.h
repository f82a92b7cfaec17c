// What stands behind Token: the members in the order in which they need each other.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "hsm/capabilities.h"
#include "hsm/incidents.h"
#include "hsm/keeper.h"
#include "hsm/key_object.h"
#include "hsm/orphans.h"
#include "hsm/session_pool.h"
#include "hsm/token.h"

namespace hsmsigner::hsm {

class TokenImpl {
 public:
  TokenImpl(const TokenOptions& options, Secret pin);

  const TokenInfo& info() const noexcept { return info_; }
  const Capabilities& capabilities() const noexcept { return capabilities_; }
  // openCryptoki makes every key it unwraps readable, whatever the template says. Found out at the first one, which is
  // destroyed; from then on such keys are not brought in that way.
  bool unwraps_as_asked(CK_MECHANISM_TYPE mechanism, bool block_export) const;
  void unwraps_otherwise(CK_MECHANISM_TYPE mechanism, bool block_export);
  KeyObjects& objects() noexcept { return objects_; }
  Epoch epoch() const noexcept { return keeper_.epoch(); }
  SessionPool& pool() noexcept { return pool_; }

  Orphans& orphans() noexcept { return orphans_; }
  Incidents& incidents() noexcept { return incidents_; }

  // Sees to it that a key which nobody wants is destroyed: waits for that within a deadline of its own, and leaves it
  // to a later sweep where it takes longer.
  void discard(const Uuid& id) noexcept;
  // Has a worker destroy the orphans there are, if any.
  void sweep() noexcept;
  // The same for the last time, and waits for it.
  void last_sweep() noexcept;

 private:
  void sweep_until(Deadline deadline) noexcept;

  Incidents incidents_;
  std::shared_ptr<Module> module_;
  Keeper keeper_;
  TokenInfo info_;
  Capabilities capabilities_;
  mutable std::mutex mutex_;
  std::set<std::pair<CK_MECHANISM_TYPE, bool>> unwrapped_otherwise_;  // guarded by mutex_; with block_export
  KeyObjects objects_;
  Orphans orphans_;
  SessionPool pool_;  // last: its workers use all of the above, and end before it goes
};

// A key in the token, as it was read back.
struct MadeKey {
  std::shared_ptr<KeyObject> object;
  PublicKey public_key;
  KeyAttributes attributes;
};

// Makes a pair and reads it back. A key that is not what was asked, or of which nobody knows whether it was made,
// becomes an orphan. Runs on a worker. Throws CkFailure, and Error.
MadeKey make_key(Session& session, TokenImpl& token, const std::shared_ptr<KeyObject>& object,
                 const KeyRequest& request);
// The same, but `judge` says by throwing that the key is not what was asked.
MadeKey make_key(Session& session, TokenImpl& token, const std::shared_ptr<KeyObject>& object,
                 const KeyRequest& request, const std::function<void(const MadeKey&)>& judge);
// make_key() on a worker, for who asks; see GeneratedKey.
GeneratedKey generate_key(const std::shared_ptr<TokenImpl>& token, const KeyRequest& request, Deadline deadline,
                          std::function<void(const MadeKey&)> judge);

// The two ways in which a key that a call was to make does not come to be, for make_key and its like.
//
// The call failed: throws CkFailure, and if nobody knows whether it made the key, has it looked for once the token
// answers again.
[[noreturn]] void not_made(TokenImpl& token, const std::shared_ptr<KeyObject>& object, const char* function, CK_RV rv);
// The call made it: runs `prove`. If that fails the key is destroyed, and the failure is an Error, never a CkFailure,
// since the pool must not make a second key.
MadeKey proven_or_destroyed(Session& session, TokenImpl& token, const std::shared_ptr<KeyObject>& object,
                            const std::function<MadeKey()>& prove);

Error no_such_key(const Uuid& id, SourcePlace where = SourcePlace::here());

std::shared_ptr<TokenKey> make_token_key(std::shared_ptr<TokenImpl> token, const Uuid& id, PublicKey public_key);

}  // namespace hsmsigner::hsm
