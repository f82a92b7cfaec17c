#include "service/issuer_resolver.h"

#include <algorithm>
#include <functional>

#include "base/error.h"

namespace hsmsigner::service {
namespace {

// No chain is longer; one that were would be a loop in the records.
constexpr int kLongestChain = 64;

std::string describe(const store::CertificateRecord& record) {
  return std::string(to_string(record.container.kind)) + " " + record.container.name;
}

// Namesakes that are told of; one more is looked for, to say that there are more.
constexpr std::size_t kMostNamesakes = 5;

// "folder A (id …), folder B (id …)": where the namesakes are, so that the caller can choose.
std::string list_places(const std::vector<store::CertificateRecord>& records) {
  std::string text;
  for (std::size_t i = 0; i < std::min(records.size(), kMostNamesakes); ++i) {
    text += (i == 0 ? "" : ", ") + describe(records[i]) + " (id " + records[i].id.to_string() + ")";
  }
  return records.size() > kMostNamesakes ? text + " and more" : text;
}

// A record that holds no authority's certificate is our own fault, not the caller's.
pki::Certificate held_certificate(const store::CertificateRecord& record) {
  try {
    pki::Certificate certificate = pki::Certificate::from_pem(record.certificate_pem);
    if (certificate.is_certificate_authority()) return certificate;
  } catch (const Error& error) {
    throw Error(ErrorKind::internal_error).with_cause("record " + record.id.to_string() + ": " + error.what());
  }
  throw Error(ErrorKind::internal_error).with_cause("record " + record.id.to_string() + " is no authority's");
}

}  // namespace

std::vector<store::CertificateRecord> IssuerResolver::candidates(const ContainerScope& visible,
                                                                 const std::string& signed_by,
                                                                 const std::optional<Container>& container) {
  if (const auto id = Uuid::parse(signed_by)) {
    auto by_id = store_.find(*id);
    if (by_id && visible.contains(by_id->container)) return {*std::move(by_id)};
    return {};
  }
  if (container && visible.contains(*container)) {
    if (auto here = store_.find_by_name(*container, signed_by)) return {*std::move(here)};
  }
  return store_.find_by_name_anywhere(signed_by, visible, kMostNamesakes + 1);
}

std::shared_ptr<const Issuer> IssuerResolver::resolve(const auth::Caller& caller, const std::string& signed_by,
                                                      const std::optional<Container>& container, UnixTime now,
                                                      std::vector<std::string>& faults) {
  auto found = candidates(caller.scope(auth::Operation::read_certificates), signed_by, container);
  if (found.empty()) {
    faults.push_back("signed_by: no certificate here has this name or id");
    return nullptr;
  }
  std::erase_if(found, [](const auto& record) { return !record.certificate_authority; });
  if (found.empty()) {
    faults.push_back("signed_by: this certificate is not a certificate authority");
    return nullptr;
  }
  // Who may use just one of several namesakes means that one.
  const auto usable = [&](const auto& record) { return caller.may(auth::Operation::use_key, record.container); };
  if (std::ranges::any_of(found, usable)) std::erase_if(found, std::not_fn(usable));
  if (found.size() > 1) {
    if (!container) return nullptr;
    faults.push_back("signed_by: ambiguous, it means several certificate authorities: " + list_places(found) +
                     "; give the id");
    return nullptr;
  }
  const store::CertificateRecord& record = found.front();
  if (!caller.may(auth::Operation::use_key, record.container)) {
    throw Error(ErrorKind::auth_unauthorized,
                {"signed_by: none of your roles may sign with a key of the " + describe(record)});
  }
  if (record.pending()) {
    faults.push_back("signed_by: this certificate authority waits for its own certificate; import that first");
    return nullptr;
  }
  if (!record.key) {
    faults.push_back("signed_by: only the certificate of this authority is here, its private key is not");
    return nullptr;
  }
  if (now < record.not_before) {
    faults.push_back("signed_by: this certificate authority is not valid yet");
    return nullptr;
  }
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
  auto certificate = held_certificate(record);
  auto below = authorities_below(record, certificate);
  auto key = tokens_.holding(record.key.value()).key(record.id, certificate.public_key());
  auto issuer = std::make_shared<const Issuer>(Issuer{record, std::move(certificate), std::move(key), below});
  const std::lock_guard lock(mutex_);
  return loaded_.emplace(record.id, std::move(issuer)).first->second;
}

void IssuerResolver::require_key(const Issuer& issuer, Deadline deadline) {
  {
    const std::lock_guard lock(mutex_);
    if (key_seen_.contains(issuer.record.id)) return;
  }
  if (!issuer.key->is_present(deadline)) {
    throw Error(ErrorKind::token_unavailable, {"signed_by: the key of this certificate authority is not in the token"})
        .with_cause("key " + issuer.record.id.to_string());
  }
  const std::lock_guard lock(mutex_);
  key_seen_.insert(issuer.record.id);
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
    const auto parent_certificate = held_certificate(*parent);
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
