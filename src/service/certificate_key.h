// The key of a certificate to come: one of the pool, or one made at once. The request that holds it does not see which.
#pragma once

#include <memory>
#include <variant>

#include "hsm/token.h"
#include "service/key_pool.h"
#include "store/pool_key_record.h"

namespace hsmsigner::service {

class CertificateKey {
 public:
  explicit CertificateKey(PooledKey key) : key_(std::move(key)) {}
  explicit CertificateKey(hsm::GeneratedKey key) : key_(std::move(key)) {}

  const std::shared_ptr<hsm::TokenKey>& key() const;
  const Uuid& id() const { return key()->id(); }
  // What the token said of it when it was made.
  store::KeyRecord record(const hsm::TokenInfo& token) const;

  // Before the first signature with it.
  void will_sign();
  // For the certificate's transaction; null for a key that is in no pool.
  const store::PoolClaim* claim() const;
  // Its certificate is durable: it stays. Without this call the destructor sees to it that it does not, or, for a key
  // of the pool that signed nothing, gives it back.
  void keep() noexcept;
  // The transaction found it to be another process's.
  void lost() noexcept;

 private:
  std::variant<PooledKey, hsm::GeneratedKey> key_;
};

}  // namespace hsmsigner::service
