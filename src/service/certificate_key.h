// The key of a certificate to come: one of the pool, or one made at once. The request that holds it does not see which.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "hsm/token.h"
#include "service/key_pool.h"
#include "service/key_pools.h"
#include "service/token_set.h"
#include "store/pool_key_record.h"

namespace hsmsigner::service {

class CertificateKey {
 public:
  // From the pool of the first token of TokenSet::for_new() that has one of the class, else made now as
  // TokenSet::make() says. `pools` may be null; all of them outlive this object. Throws what make() throws.
  static CertificateKey take(TokenSet& tokens, KeyPools* pools, KeyUse use, const KeyClass& key_class,
                             Deadline deadline);
  // Made now, under a plan of the pool if there is one; `pool` may be null. Throws what the token throws, and the
  // store.
  static CertificateKey make(hsm::Token& token, KeyPool* pool, const KeyClass& key_class, Deadline deadline);
  CertificateKey(CertificateKey&&) noexcept = default;
  CertificateKey& operator=(CertificateKey&&) = delete;

  const std::shared_ptr<hsm::TokenKey>& key() const;
  const Uuid& id() const { return key()->id(); }
  // What its token said of it when it was made.
  store::KeyRecord record() const;

  // Before the first signature with it.
  void will_sign();
  // For the certificate's transaction; null for a key that is neither of the pool nor planned.
  const store::PoolClaim* claim() const;
  // Its certificate is durable: it stays. Without this call the destructor sees to it that it does not, or, for a key
  // of the pool that signed nothing, gives it back.
  void keep() noexcept;
  // The transaction found it to be another process's, which deals with it.
  void lost() noexcept { keep(); }

 private:
  struct Made {
    std::optional<hsm::GeneratedKey> key;
    const hsm::Token* token = nullptr;
    KeyPool* pool = nullptr;
    std::optional<store::PoolClaim> plan;
    bool settled = false;  // kept, or another process's to deal with

    Made() = default;
    Made(Made&& other) noexcept
        : key(std::move(other.key)),
          token(other.token),
          pool(other.pool),
          plan(std::move(other.plan)),
          settled(other.settled) {
      other.settled = true;
    }
    Made& operator=(Made&&) = delete;
    ~Made();
  };
  explicit CertificateKey(PooledKey key) : key_(std::move(key)) {}
  explicit CertificateKey(Made key) : key_(std::move(key)) {}

  std::variant<PooledKey, Made> key_;
};

}  // namespace hsmsigner::service
