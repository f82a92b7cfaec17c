#include "service/generation.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "pki/certificate_builder.h"
#include "service/alternative_names.h"
#include "service/issuer_resolver.h"
#include "service/name_reservations.h"

namespace hsmsigner::service {
namespace {

using std::chrono::days;

constexpr int kDefaultDays = 365;
constexpr std::size_t kSerialOctets = 20;  // RFC 5280 4.1.2.2: at most 20, positive

std::vector<std::string> weaknesses(const KeyAlgorithmInfo& key, const DigestAlgorithmInfo& digest) {
  std::vector<std::string> warnings;
  if (key.weak) {
    warnings.push_back("algorithm: " + std::string(key.name) + " has less than 112 bits of strength (NIST SP 800-57)");
  }
  if (digest.weak) warnings.push_back("digest: " + std::string(digest.name) + " is no longer collision resistant");
  return warnings;
}

pki::SubjectName subject_of(const GenerateRequest& request) {
  pki::SubjectName subject;
  subject.country = request.country_code;
  subject.state = request.state;
  subject.locality = request.locality;
  subject.organizational_units = request.departments;
  subject.common_name = *request.common_name;
  subject.email = request.email;
  return subject;
}

store::KeyRecord key_record(const hsm::KeyAttributes& attributes, const hsm::TokenInfo& token) {
  store::KeyRecord key;
  key.token_label = token.label;
  key.token_serial = token.serial;
  key.id = to_hex(attributes.id);
  key.type = to_string(attributes.family);
  key.bits = attributes.bits;
  key.sensitive = attributes.sensitive;
  key.always_sensitive = attributes.always_sensitive;
  key.extractable = attributes.extractable;
  key.never_extractable = attributes.never_extractable;
  key.local = attributes.local;
  return key;
}

// Everything decided before a key is made.
struct Plan {
  std::shared_ptr<const Issuer> issuer;  // null: self-signed
  UnixTime not_before;
  UnixTime not_after;
};

}  // namespace

struct Generation::Impl {
  Impl(hsm::Token& token_in, store::CertificateStore& store_in, Clock clock_in)
      : token(token_in), store(store_in), clock(std::move(clock_in)), issuers(token_in, store_in) {}

  Plan plan(GenerateRequest& request, Deadline deadline);
  void check_signature(const GenerateRequest& request, const Issuer* issuer, std::vector<std::string>& faults);
  UnixTime end_of_validity(const GenerateRequest& request, const Issuer* issuer, UnixTime start,
                           std::vector<std::string>& faults);
  Bytes new_serial(Deadline deadline);
  store::CertificateRecord issue(const GenerateRequest& request, const Plan& plan, Deadline deadline);

  hsm::Token& token;
  store::CertificateStore& store;
  Clock clock;
  IssuerResolver issuers;
  NameReservations reservations;
};

Plan Generation::Impl::plan(GenerateRequest& request, Deadline deadline) {
  std::vector<std::string> faults = std::move(request.faults);
  Plan plan;
  plan.not_before = clock();
  const bool self_signed = request.signed_by.empty();
  if (!self_signed) {
    plan.issuer = issuers.resolve(request.signed_by, request.container, plan.not_before, faults);
  }
  if (request.algorithm && !token.can_generate(*request.algorithm)) {
    faults.push_back("algorithm: this token cannot generate " + std::string(info(*request.algorithm).name) + " keys");
  }
  if (self_signed || plan.issuer != nullptr) {
    check_signature(request, plan.issuer.get(), faults);
    plan.not_after = end_of_validity(request, plan.issuer.get(), plan.not_before, faults);
  }
  if (request.certificate_authority && plan.issuer != nullptr && plan.issuer->authorities_below == 0u) {
    faults.push_back("signed_by: the path length of this certificate authority allows no further authority below it");
  }
  if (!faults.empty()) throw Error(ErrorKind::invalid_object, std::move(faults));
  if (!request.container || !request.algorithm || !request.certificate_name || !request.common_name ||
      !request.digest) {
    throw Error(ErrorKind::internal_error).with_cause("a request without its required fields carried no fault");
  }
  if (plan.issuer) issuers.require_key(*plan.issuer, deadline);
  return plan;
}

void Generation::Impl::check_signature(const GenerateRequest& request, const Issuer* issuer,
                                       std::vector<std::string>& faults) {
  if (!request.digest) return;
  std::optional<std::string> reason;
  if (issuer != nullptr) {
    const PublicKey& key = issuer->key->public_key();
    reason = why_cannot_sign(family_of(key), bits_of(key), *request.digest);
  } else if (request.algorithm) {
    const KeyAlgorithmInfo& key = info(*request.algorithm);
    reason = why_cannot_sign(key.family, key.bits, *request.digest);
  }
  if (reason) faults.push_back("digest: " + *reason);
}

UnixTime Generation::Impl::end_of_validity(const GenerateRequest& request, const Issuer* issuer, UnixTime start,
                                           std::vector<std::string>& faults) {
  const UnixTime wanted = start + days(request.days.value_or(kDefaultDays));
  if (issuer == nullptr || wanted <= issuer->record.not_after) return wanted;
  if (!request.days) return issuer->record.not_after;
  const auto left = std::chrono::floor<days>(issuer->record.not_after - start).count();
  faults.push_back("day_till_expiration: beyond the end of its issuer, which has " + std::to_string(left) +
                   " whole days left");
  return wanted;
}

// 160 bits from the token, of which the sign bit is cleared (RFC 5280 4.1.2.2).
Bytes Generation::Impl::new_serial(Deadline deadline) {
  Bytes serial = token.random(kSerialOctets, deadline);
  serial.front() &= 0x7f;
  if (std::ranges::all_of(serial, [](std::uint8_t octet) { return octet == 0; })) {
    throw Error(ErrorKind::internal_error).with_cause("the token's random generator answered zeros");
  }
  return serial;
}

store::CertificateRecord Generation::Impl::issue(const GenerateRequest& request, const Plan& plan, Deadline deadline) {
  const Uuid id = Uuid::random();
  const Bytes serial = new_serial(deadline);
  // From here until keep() every way out destroys the key.
  hsm::GeneratedKey generated = token.generate({id, *request.algorithm, request.block_private_key}, deadline);
  const std::shared_ptr<hsm::TokenKey>& signer = plan.issuer ? plan.issuer->key : generated.key();

  pki::CertificateSpec spec;
  spec.serial = serial;
  spec.subject = subject_of(request);
  spec.alternative_names = alternative_names_of(request);
  spec.certificate_authority = request.certificate_authority;
  spec.not_before = plan.not_before;
  spec.not_after = plan.not_after;
  spec.digest = *request.digest;
  spec.ocsp_url = request.ocsp_responder_url;
  const pki::Certificate certificate = pki::build_certificate(
      spec, generated.key()->public_key(), plan.issuer ? &plan.issuer->certificate : nullptr, *signer, deadline);

  store::CertificateRecord record{
      .id = id,
      .container = *request.container,
      .name = *request.certificate_name,
      .common_name = *request.common_name,
      .algorithm = std::string(to_string(info(*request.algorithm).family)),
      .certificate_authority = request.certificate_authority,
      .subject = certificate.subject(),
      .issuer = certificate.issuer(),
      .subject_hash = certificate.subject_hash_old(),
      .issuer_hash = certificate.issuer_hash_old(),
      .not_before = plan.not_before,
      .not_after = plan.not_after,
      .certificate_pem = certificate.pem(),
      .serial_number = certificate.serial_number(),
      .fingerprint_sha256 = certificate.fingerprint_sha256(),
      .issuer_id = plan.issuer ? std::optional(plan.issuer->record.id) : std::nullopt,
      .signed_by = plan.issuer ? plan.issuer->record.name : std::string(),
      .digest = std::string(info(*request.digest).name),
      .alternative_names = {},
      .warnings = weaknesses(info(*request.algorithm), info(*request.digest)),
      .key = key_record(generated.attributes(), token.info()),
      .created_at = plan.not_before,
  };
  // As they stand in the certificate, whatever the request's spelling.
  for (const pki::AlternativeName& name : certificate.alternative_names()) {
    record.alternative_names.push_back(name.to_string());
  }
  store.insert(record, deadline);
  generated.keep();
  return record;
}

Generation::Generation(hsm::Token& token, store::CertificateStore& store, Clock clock)
    : impl_(std::make_unique<Impl>(token, store, std::move(clock))) {}

Generation::~Generation() = default;

store::CertificateRecord Generation::generate(GenerateRequest request, Deadline deadline) {
  const Plan plan = impl_->plan(request, deadline);
  const auto reservation = impl_->reservations.reserve(*request.container, *request.certificate_name);
  if (!reservation) {
    throw Error(ErrorKind::name_not_unique,
                {"certificate_name: another request is generating a certificate of this name"});
  }
  if (impl_->store.name_taken(*request.container, *request.certificate_name)) {
    throw Error(ErrorKind::name_not_unique, {"certificate_name: the container has a certificate of this name"});
  }
  store::CertificateRecord record = impl_->issue(request, plan, deadline);
  log::info("certificate issued", {{"id", record.id.to_string()},
                                   {"name", record.name},
                                   {"container", record.container.name},
                                   {"serial", record.serial_number},
                                   {"signed_by", record.signed_by}});
  return record;
}

}  // namespace hsmsigner::service
