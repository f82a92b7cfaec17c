// The stocks of keys made ahead, one for each token that gets new keys.
#pragma once

#include <memory>
#include <vector>

#include "hsm/token.h"
#include "service/key_pool.h"
#include "service/token_set.h"
#include "store/key_pool_store.h"

namespace hsmsigner::service {

// Thread safe.
class KeyPools {
 public:
  // Both outlive this object.
  KeyPools(const TokenSet& tokens, store::KeyPoolStore& store);
  KeyPools(const KeyPools&) = delete;
  KeyPools& operator=(const KeyPools&) = delete;

  struct Entry {
    hsm::Token& token;
    std::unique_ptr<KeyPool> pool;
  };
  const std::vector<Entry>& all() const noexcept { return pools_; }
  // Null for a token that gets no new keys.
  KeyPool* of(const hsm::Token& token) const noexcept;

  // KeyPool::doubt_lease() of each: the lease is one for all of this process.
  void doubt_lease();

 private:
  std::vector<Entry> pools_;
};

}  // namespace hsmsigner::service
