#include "service/generation.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "pki/certificate_builder.h"
#include "pki/signing_request.h"
#include "service/access_rules.h"
#include "service/alternative_names.h"
#include "service/certificate_event.h"
#include "service/certificate_facts.h"
#include "service/certificate_key.h"
#include "service/issuer_resolver.h"
#include "service/name_reservations.h"
#include "service/policy_facts.h"
#include "service/serial_numbers.h"

namespace hsmsigner::service {
namespace {

using std::chrono::days;

constexpr int kDefaultDays = 365;
constexpr int kAttempts = 3;

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

// Everything decided before a key is made.
struct Plan {
  std::shared_ptr<const Issuer> issuer;  // null: self-signed, or a signing request
  UnixTime not_before;
  std::optional<UnixTime> not_after;  // nothing: a signing request
};

}  // namespace

struct Generation::Impl {
  Impl(TokenSet& tokens_in, store::CertificateStore& store_in, NameReservations& names_in,
       const policy::Policies& policies_in, Clock clock_in, KeyPools* pools_in)
      : tokens(tokens_in),
        store(store_in),
        names(names_in),
        policies(policies_in),
        clock(std::move(clock_in)),
        pools(pools_in),
        issuers(tokens_in, store_in),
        serials(tokens_in.for_service()) {}

  Plan plan(const auth::Caller& caller, GenerateRequest& request, Deadline deadline);
  void check_signature(const GenerateRequest& request, const Issuer* issuer, std::vector<std::string>& faults);
  UnixTime end_of_validity(const GenerateRequest& request, const Issuer* issuer, UnixTime start,
                           std::vector<std::string>& faults);
  pki::Certificate certify(const GenerateRequest& request, const Plan& plan, const Bytes& serial, CertificateKey& key,
                           Deadline deadline);
  void fill_pending(const GenerateRequest& request, CertificateKey& key, store::CertificateRecord& record,
                    Deadline deadline);
  store::CertificateRecord issue(const Actor& actor, const GenerateRequest& request, const Plan& plan,
                                 const ComposeAnswer& compose, Deadline deadline);
  std::optional<store::CertificateRecord> issue_with(CertificateKey key, const Actor& actor,
                                                     const GenerateRequest& request, const Plan& plan,
                                                     const Bytes& serial, const ComposeAnswer& compose,
                                                     Deadline deadline);
  bool insert(CertificateKey& key, const store::CertificateRecord& record, store::Alongside with, Deadline deadline);

  TokenSet& tokens;
  store::CertificateStore& store;
  NameReservations& names;
  const policy::Policies& policies;
  Clock clock;
  KeyPools* pools;
  IssuerResolver issuers;
  SerialNumbers serials;
};

Plan Generation::Impl::plan(const auth::Caller& caller, GenerateRequest& request, Deadline deadline) {
  std::vector<std::string> faults = std::move(request.faults);
  Plan plan;
  plan.not_before = clock();
  const bool own_key_signs = request.signed_by.empty();
  if (!own_key_signs) {
    plan.issuer = issuers.resolve(caller, request.signed_by, request.container, plan.not_before, faults);
  }
  if (request.algorithm && !tokens.can_generate(use_for(request.certificate_authority), *request.algorithm)) {
    const std::string who = tokens.all().size() == 1        ? "this token cannot"
                            : request.certificate_authority ? "no token for authorities can"
                                                            : "no token for leaves can";
    faults.push_back("algorithm: " + who + " generate " + std::string(info(*request.algorithm).name) + " keys");
  }
  if (own_key_signs || plan.issuer != nullptr) {
    check_signature(request, plan.issuer.get(), faults);
    if (!request.external) plan.not_after = end_of_validity(request, plan.issuer.get(), plan.not_before, faults);
  }
  if (request.certificate_authority && plan.issuer != nullptr) {
    // To use an authority's key is one thing, to found another authority below it is its own issuers' to decide.
    require(caller, auth::Operation::generate_certificate, plan.issuer->record.container);
  }
  if (request.certificate_authority && plan.issuer != nullptr && plan.issuer->authorities_below == 0u) {
    faults.push_back("signed_by: the path length of this certificate authority allows no further authority below it");
  }
  const std::string help = add_refusals(policies, request, plan.issuer.get(), plan.not_before, plan.not_after, faults);
  if (!faults.empty()) throw Error(ErrorKind::invalid_object, std::move(faults)).with_help(help);
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

pki::Certificate Generation::Impl::certify(const GenerateRequest& request, const Plan& plan, const Bytes& serial,
                                           CertificateKey& key, Deadline deadline) {
  pki::CertificateSpec spec;
  spec.serial = serial;
  spec.subject = subject_of(request);
  spec.alternative_names = alternative_names_of(request);
  spec.certificate_authority = request.certificate_authority;
  spec.not_before = plan.not_before;
  spec.not_after = plan.not_after.value();
  spec.digest = *request.digest;
  spec.ocsp_url = request.ocsp_responder_url;
  if (!plan.issuer) key.will_sign();
  const std::shared_ptr<hsm::TokenKey>& signer = plan.issuer ? plan.issuer->key : key.key();
  return pki::build_certificate(spec, key.key()->public_key(), plan.issuer ? &plan.issuer->certificate : nullptr,
                                *signer, deadline);
}

// What a signing request tells of the certificate to come.
void Generation::Impl::fill_pending(const GenerateRequest& request, CertificateKey& key,
                                    store::CertificateRecord& record, Deadline deadline) {
  pki::SigningRequestSpec spec;
  spec.subject = subject_of(request);
  spec.alternative_names = alternative_names_of(request);
  spec.certificate_authority = request.certificate_authority;
  spec.digest = *request.digest;
  key.will_sign();
  record.request_pem = pki::build_signing_request(spec, *key.key(), deadline);
  const pki::SigningRequestInfo made = pki::read_signing_request(record.request_pem);
  record.subject = made.subject;
  record.subject_hash = made.subject_hash_old;
  record.alternative_names = texts_of(made.alternative_names);
  record.algorithm = to_string(family_of(made.public_key));
  record.certificate_authority = request.certificate_authority;
  record.digest = info(*request.digest).name;
  record.warnings = weaknesses(made.public_key, request.digest);
  if (request.days) {
    record.warnings.push_back("day_till_expiration: has no effect on a signing request; its signer decides");
  }
  if (!request.ocsp_responder_url.empty()) {
    record.warnings.push_back("ocsp_responder_url: has no effect on a signing request; its signer decides");
  }
}

// A key of the pool, or one planned, can turn out to be another process's at the very end, when this one was stalled
// for longer than its lease: then it is all done once more.
store::CertificateRecord Generation::Impl::issue(const Actor& actor, const GenerateRequest& request, const Plan& plan,
                                                 const ComposeAnswer& compose, Deadline deadline) {
  const Bytes serial = request.external ? Bytes() : serials.next(deadline);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    // From here until keep() every way out destroys the key, or gives it back to the pool.
    CertificateKey key = CertificateKey::take(tokens, pools, use_for(request.certificate_authority),
                                              {*request.algorithm, request.block_private_key}, deadline);
    if (auto record = issue_with(std::move(key), actor, request, plan, serial, compose, deadline)) return *record;
    pools->doubt_lease();
  }
  throw Error(ErrorKind::token_unavailable, {"another process took the keys of this one over; nothing was issued"})
      .with_help("Try again.");
}

// Nothing when the key was not this process's any more.
std::optional<store::CertificateRecord> Generation::Impl::issue_with(CertificateKey key, const Actor& actor,
                                                                     const GenerateRequest& request, const Plan& plan,
                                                                     const Bytes& serial, const ComposeAnswer& compose,
                                                                     Deadline deadline) {
  store::CertificateRecord record = new_record(*request.container, *request.certificate_name, plan.not_before);
  record.id = key.id();
  record.key = key.record();
  record.common_name = *request.common_name;
  if (plan.issuer) record.issuer_id = plan.issuer->record.id;
  record.signed_by = request.external ? "external" : plan.issuer ? plan.issuer->record.name : std::string();
  if (request.external) {
    fill_pending(request, key, record, deadline);
  } else {
    fill_from(certify(request, plan, serial, key, deadline), record);
  }
  store::AnswerRecord answer;
  if (compose) answer = compose(record);
  const audit::Event event = certificate_event(
      request.external ? audit::EventKind::signing_request_made : audit::EventKind::certificate_issued, actor, record);
  if (!insert(key, record, {&event, compose ? &answer : nullptr, key.claim()}, deadline)) return std::nullopt;
  return record;
}

bool Generation::Impl::insert(CertificateKey& key, const store::CertificateRecord& record, store::Alongside with,
                              Deadline deadline) {
  try {
    store.insert(record, deadline, with);
  } catch (const Error& error) {
    if (with.pool_key == nullptr || error.kind() != ErrorKind::object_not_present) throw;
    key.lost();
    log::warning("a key of the pool was taken over by another process", {{"id", record.id.to_string()}});
    return false;
  }
  key.keep();
  return true;
}

Generation::Generation(TokenSet& tokens, store::CertificateStore& store, NameReservations& names,
                       const policy::Policies& policies, Clock clock, KeyPools* pools)
    : impl_(std::make_unique<Impl>(tokens, store, names, policies, std::move(clock), pools)) {}

Generation::~Generation() = default;

store::CertificateRecord Generation::generate(const Actor& actor, GenerateRequest request, Deadline deadline,
                                              const ComposeAnswer& compose) {
  if (request.container) require(actor.caller, auth::Operation::generate_certificate, *request.container);
  const Plan plan = impl_->plan(actor.caller, request, deadline);
  const auto reservation = impl_->names.reserve(*request.container, *request.certificate_name);
  if (!reservation) {
    throw Error(ErrorKind::name_not_unique, {"certificate_name: another request is making a certificate of this name"});
  }
  if (impl_->store.name_taken(*request.container, *request.certificate_name)) {
    throw Error(ErrorKind::name_not_unique, {"certificate_name: the container has a certificate of this name"});
  }
  store::CertificateRecord record = impl_->issue(actor, request, plan, compose, deadline);
  log::info(request.external ? "signing request made" : "certificate issued",
            {{"id", record.id.to_string()},
             {"name", record.name},
             {"container", record.container.to_string()},
             {"serial", record.serial_number},
             {"signed_by", record.signed_by},
             {"client_id", actor.caller.client_id()}});
  return record;
}

}  // namespace hsmsigner::service
