// What stands behind Token: the members in the order in which they need each other.
#pragma once

#include <memory>
#include <set>

#include "hsm/key_object.h"
#include "hsm/keeper.h"
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

  // Destroys a key that nobody wants, within a deadline of its own. Logs instead of throwing.
  void discard(const Uuid& id) noexcept;

 private:
  std::shared_ptr<Module> module_;
  Keeper keeper_;
  TokenInfo info_;
  std::set<KeyAlgorithm> offered_;
  KeyObjects objects_;
  SessionPool pool_;  // last: its workers use all of the above, and end before it goes
};

// Makes a pair, reads it back, and destroys it unless it is what was asked. Runs on a worker.
struct MadeKey {
  std::shared_ptr<KeyObject> object;
  PublicKey public_key;
  KeyAttributes attributes;
};
MadeKey make_key(Session& session, SessionPool& pool, const std::shared_ptr<KeyObject>& object,
                 const KeyRequest& request);

// Gets rid of a key that must not stay: in this session if that works, else as soon as there is another. A key that
// has to be left is logged by its id.
void destroy_made_key(Session& session, SessionPool& pool, const std::shared_ptr<KeyObject>& object);

std::shared_ptr<TokenKey> make_token_key(std::shared_ptr<TokenImpl> token, const Uuid& id, PublicKey public_key);

}  // namespace hsmsigner::hsm
