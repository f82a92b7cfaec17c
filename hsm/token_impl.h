// What stands behind Token: the members in the order in which they need each other.
#pragma once

#include <memory>
#include <set>

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
  bool can_generate(KeyAlgorithm algorithm) const noexcept { return offered_.contains(algorithm); }
  KeyObjects& objects() noexcept { return objects_; }
  SessionPool& pool() noexcept { return pool_; }

  Orphans& orphans() noexcept { return orphans_; }

  // Sees to it that a key which nobody wants is destroyed: waits for that within a deadline of its own, and leaves it
  // to a later sweep where it takes longer.
  void discard(const Uuid& id) noexcept;
  // Has a worker destroy the orphans there are, if any.
  void sweep() noexcept;
  // The same for the last time, and waits for it.
  void last_sweep() noexcept;

 private:
  void sweep_until(Deadline deadline) noexcept;

  std::shared_ptr<Module> module_;
  Keeper keeper_;
  TokenInfo info_;
  std::set<KeyAlgorithm> offered_;
  KeyObjects objects_;
  Orphans orphans_;
  SessionPool pool_;  // last: its workers use all of the above, and end before it goes
};

// Makes a pair and reads it back. A key that is not what was asked, or of which nobody knows whether it was made,
// becomes an orphan. Runs on a worker.
struct MadeKey {
  std::shared_ptr<KeyObject> object;
  PublicKey public_key;
  KeyAttributes attributes;
};
MadeKey make_key(Session& session, TokenImpl& token, const std::shared_ptr<KeyObject>& object,
                 const KeyRequest& request);

std::shared_ptr<TokenKey> make_token_key(std::shared_ptr<TokenImpl> token, const Uuid& id, PublicKey public_key);

}  // namespace hsmsigner::hsm
