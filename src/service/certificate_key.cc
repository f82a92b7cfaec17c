#include "service/certificate_key.h"

#include "base/log.h"
#include "service/certificate_facts.h"

namespace hsmsigner::service {

CertificateKey CertificateKey::take(hsm::Token& token, KeyPool* pool, const KeyClass& key_class, Deadline deadline) {
  if (pool != nullptr) {
    if (auto pooled = pool->claim(key_class)) return CertificateKey(std::move(*pooled));
  }
  return make(token, pool, key_class, deadline);
}

CertificateKey CertificateKey::make(hsm::Token& token, KeyPool* pool, const KeyClass& key_class, Deadline deadline) {
  Made made;
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

store::KeyRecord CertificateKey::record(const hsm::TokenInfo& token) const {
  if (const auto* pooled = std::get_if<PooledKey>(&key_)) return pooled->record().key;
  return key_record(std::get<Made>(key_).key->attributes(), token);
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
