#include "service/issuer_resolver.h"

#include <algorithm>

#include "base/error.h"

namespace hsmsigner::service {
namespace {

// No chain is longer; one that were would be a loop in the records.
constexpr int kLongestChain = 64;

std::string describe(const store::CertificateRecord& record) {
  return std::string(store::to_string(record.container.kind)) + " " + record.container.name;
}

// "folder A, folder B": where the namesakes are, so that the caller can choose.
std::string list_places(const std::vector<store::CertificateRecord>& records) {
  std::string text;
  for (const store::CertificateRecord& record : records) {
    if (!text.empty()) text += ", ";
    text += describe(record) + " (id " + record.id.to_string() + ")";
  }
  return text;
}

}  // namespace

std::vector<store::CertificateRecord> IssuerResolver::candidates(const std::string& signed_by) {
  auto found = store_.find_by_name_anywhere(signed_by);
  if (const auto id = Uuid::parse(signed_by)) {
    auto by_id = store_.find(*id);
    const bool listed = by_id && std::ranges::any_of(found, [&](const auto& record) { return record.id == *id; });
    if (by_id && !listed) found.push_back(*std::move(by_id));
  }
  return found;
}

std::shared_ptr<const Issuer> IssuerResolver::resolve(const std::string& signed_by,
                                                      const std::optional<store::Container>& container, UnixTime now,
                                                      std::vector<std::string>& faults) {
  auto found = candidates(signed_by);
  if (std::ranges::any_of(found, [&](const auto& record) { return record.container == container; })) {
    std::erase_if(found, [&](const auto& record) { return record.container != container; });
  }
  if (found.empty()) {
    faults.push_back("signed_by: no certificate here has this name or id");
    return nullptr;
  }
  std::erase_if(found, [](const auto& record) { return !record.certificate_authority; });
  if (found.empty()) {
    faults.push_back("signed_by: this certificate is not a certificate authority");
    return nullptr;
  }
  if (found.size() > 1) {
    if (!container) return nullptr;
    faults.push_back("signed_by: ambiguous, it means " + std::to_string(found.size()) + " certificates: " +
                     list_places(found) + "; give the id");
    return nullptr;
  }
  const store::CertificateRecord& record = found.front();
  if (now > record.not_after) {
    faults.push_back("signed_by: this certificate authority has expired");
    return nullptr;
  }
  return load(record);
}

std::shared_ptr<const Issuer> IssuerResolver::load(const store::CertificateRecord& record) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = loaded_.find(record.id);
    if (known != loaded_.end()) return known->second;
  }
  // Outside the lock: it reads the store. Two threads may both load; the first to finish is kept.
  auto certificate = pki::Certificate::from_pem(record.certificate_pem);
  auto below = authorities_below(record, certificate);
  auto key = token_.key(record.id, certificate.public_key());
  auto issuer = std::make_shared<const Issuer>(Issuer{record, std::move(certificate), std::move(key), below});
  const std::lock_guard lock(mutex_);
  return loaded_.emplace(record.id, std::move(issuer)).first->second;
}

std::optional<unsigned> IssuerResolver::authorities_below(const store::CertificateRecord& record,
                                                          const pki::Certificate& certificate) {
  std::optional<unsigned> tightest = certificate.path_length();
  // An ancestor's limit counts the non-self-issued authorities between it and the new certificate (RFC 5280 6.1.4 (l)).
  unsigned between = certificate.is_self_issued() ? 0 : 1;
  std::optional<Uuid> above = record.issuer_id;
  for (int depth = 0; above; ++depth) {
    if (depth == kLongestChain) {
      throw Error(ErrorKind::internal_error).with_cause("the chain above " + record.id.to_string() + " does not end");
    }
    const auto parent = store_.find(*above);
    if (!parent) break;  // deleted meanwhile: its limit went with it
    const auto parent_certificate = pki::Certificate::from_pem(parent->certificate_pem);
    if (const auto limit = parent_certificate.path_length()) {
      const unsigned left = *limit > between ? *limit - between : 0;
      // A limit already overrun leaves nothing at all to sign below, which 0 says well enough for authorities.
      tightest = tightest ? std::min(*tightest, left) : left;
    }
    if (!parent_certificate.is_self_issued()) ++between;
    above = parent->issuer_id;
  }
  return tightest;
}

}  // namespace hsmsigner::service
