#include "service/certificate_key.h"

#include "base/log.h"
#include "service/certificate_facts.h"

namespace hsmsigner::service {

CertificateKey CertificateKey::take(TokenSet& tokens, KeyPools* pools, KeyUse use, const KeyClass& key_class,
                                    Deadline deadline) {
  const auto pool_of = [&](const hsm::Token& token) { return pools == nullptr ? nullptr : pools->of(token); };
  // Before any key is made: what one of them has ready is had at once.
  for (const hsm::Token* const token : tokens.for_new(use, Uuid::random(), key_class.algorithm)) {
    KeyPool* const pool = pool_of(*token);
    if (pool == nullptr) continue;
    if (auto pooled = pool->claim(key_class)) return CertificateKey(std::move(*pooled));
  }
  std::optional<CertificateKey> made;
  tokens.first_that_takes(use, key_class.algorithm, [&](hsm::Token& token, const Uuid&) {
    made.emplace(make(token, pool_of(token), key_class, deadline));
  });
  return *std::move(made);
}

CertificateKey CertificateKey::make(hsm::Token& token, KeyPool* pool, const KeyClass& key_class, Deadline deadline) {
  Made made;
  made.token = &token;
  made.pool = pool;
  if (pool != nullptr) made.plan = pool->plan(deadline);
  const Uuid id = made.plan ? made.plan->id : Uuid::random();
  // When this fails nobody may know whether there is a key: its plan stays on record, and is looked into once this
  // process has ended.
  made.key.emplace(token.generate({id, key_class.algorithm, key_class.block_export}, deadline));
  return CertificateKey(std::move(made));
}

CertificateKey::Made::~Made() {
  if (settled || !key || !plan) return;  // without a plan the key goes with its owner
  if (pool->holds()) {
    const Uuid id = plan->id;
    key.reset();
    pool->in_vain(id);
    return;
  }
  // Another process may have found it under the plan of one that seemed dead, and have it in its stock by now.
  log::warning("a key is left to its plan: the lease of this process is over", {{"id", plan->id.to_string()}});
  key->keep();
}

const std::shared_ptr<hsm::TokenKey>& CertificateKey::key() const {
  if (const auto* pooled = std::get_if<PooledKey>(&key_)) return pooled->key();
  return std::get<Made>(key_).key->key();
}

store::KeyRecord CertificateKey::record() const {
  if (const auto* pooled = std::get_if<PooledKey>(&key_)) return pooled->record().key;
  const Made& made = std::get<Made>(key_);
  return key_record(made.key->attributes(), made.token->info());
}

void CertificateKey::will_sign() {
  if (auto* pooled = std::get_if<PooledKey>(&key_)) pooled->will_sign();
}

const store::PoolClaim* CertificateKey::claim() const {
  if (const auto* pooled = std::get_if<PooledKey>(&key_)) return &pooled->claim();
  const auto& plan = std::get<Made>(key_).plan;
  return plan ? &*plan : nullptr;
}

void CertificateKey::keep() noexcept {
  if (auto* pooled = std::get_if<PooledKey>(&key_)) {
    pooled->gone();
    return;
  }
  Made& made = std::get<Made>(key_);
  made.key->keep();
  made.settled = true;
}

}  // namespace hsmsigner::service
