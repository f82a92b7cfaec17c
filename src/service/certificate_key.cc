#include "service/certificate_key.h"

#include "service/certificate_facts.h"

namespace hsmsigner::service {

const std::shared_ptr<hsm::TokenKey>& CertificateKey::key() const {
  return std::visit([](const auto& key) -> const std::shared_ptr<hsm::TokenKey>& { return key.key(); }, key_);
}

store::KeyRecord CertificateKey::record(const hsm::TokenInfo& token) const {
  if (const auto* pooled = std::get_if<PooledKey>(&key_)) return pooled->record().key;
  return key_record(std::get<hsm::GeneratedKey>(key_).attributes(), token);
}

void CertificateKey::will_sign() {
  if (auto* pooled = std::get_if<PooledKey>(&key_)) pooled->will_sign();
}

const store::PoolClaim* CertificateKey::claim() const {
  const auto* pooled = std::get_if<PooledKey>(&key_);
  return pooled == nullptr ? nullptr : &pooled->claim();
}

void CertificateKey::keep() noexcept {
  if (auto* pooled = std::get_if<PooledKey>(&key_)) {
    pooled->gone();
  } else {
    std::get<hsm::GeneratedKey>(key_).keep();
  }
}

void CertificateKey::lost() noexcept {
  if (auto* pooled = std::get_if<PooledKey>(&key_)) pooled->gone();
}

}  // namespace hsmsigner::service
