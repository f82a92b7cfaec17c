#include "service/policy_facts.h"

#include <algorithm>
#include <variant>

#include "base/error.h"
#include "policy/check.h"
#include "service/alternative_names.h"

namespace hsmsigner::service {
namespace {

using policy::Facts;
using policy::IssuerFacts;
using policy::NameKind;

NameKind kind_of(pki::AlternativeName::Kind kind) {
  switch (kind) {
    case pki::AlternativeName::Kind::dns: return NameKind::dns;
    case pki::AlternativeName::Kind::ip: return NameKind::ip;
    case pki::AlternativeName::Kind::email: break;
  }
  return NameKind::mail;
}

policy::KeyFacts key_facts(const PublicKey& key) {
  policy::KeyFacts facts{family_of(key), bits_of(key), {}};
  if (const auto* const rsa = std::get_if<RsaPublicKey>(&key)) facts.rsa_exponent = rsa->exponent;
  return facts;
}

bool at_fault(const std::vector<std::string>& faults, const std::string& field) {
  return std::ranges::any_of(faults, [&](const std::string& fault) { return fault.starts_with(field + ":"); });
}

// From which field of the request an alternative name comes.
std::string field_of(const GenerateRequest& request, const pki::AlternativeName& name) {
  const bool own = std::ranges::find(request.alternative_names, name) != request.alternative_names.end();
  switch (name.kind) {
    case pki::AlternativeName::Kind::dns: return own ? "hostname" : "common_name";
    case pki::AlternativeName::Kind::ip: return own ? "ip" : "common_name";
    case pki::AlternativeName::Kind::email: break;
  }
  return own ? "alternate_email" : request.email.empty() ? "common_name" : "email";
}

std::set<std::string, std::less<>> fields_of(const GenerateRequest& request) {
  std::set<std::string, std::less<>> fields;
  const auto add = [&fields](const char* field, bool given) {
    if (given) fields.insert(field);
  };
  const auto has = [&request](pki::AlternativeName::Kind kind) {
    return std::ranges::find(request.alternative_names, kind, &pki::AlternativeName::kind) !=
           request.alternative_names.end();
  };
  add("country_code", !request.country_code.empty());
  add("state", !request.state.empty());
  add("locality", !request.locality.empty());
  add("department", !request.departments.empty());
  add("email", !request.email.empty());
  add("alternate_email", has(pki::AlternativeName::Kind::email));
  add("hostname", has(pki::AlternativeName::Kind::dns));
  add("ip", has(pki::AlternativeName::Kind::ip));
  add("ocsp_responder_url", !request.ocsp_responder_url.empty());
  add("day_till_expiration", request.days.has_value());
  return fields;
}

// Nothing when `signed_by` means none that may sign: that is a fault of its own.
std::optional<IssuerFacts> issuer_facts(const GenerateRequest& request, const Issuer* issuer) {
  if (request.external) return IssuerFacts{IssuerFacts::Kind::external, {}, {}, {}};
  if (request.signed_by.empty()) return IssuerFacts{IssuerFacts::Kind::itself, {}, {}, {}};
  if (issuer == nullptr) return std::nullopt;
  return IssuerFacts{IssuerFacts::Kind::held, issuer->record.id, issuer->record.container, issuer->record.name};
}

// What a certificate made elsewhere says.
Facts facts_of(const pki::Certificate& certificate, policy::Act act) {
  const PublicKey key = certificate.public_key();
  Facts facts;
  facts.act = act;
  facts.file = "certificate_file";
  facts.authority = certificate.is_certificate_authority();
  facts.key = key_facts(key);
  facts.digest = certificate.signature_digest();
  facts.other_signature = !facts.digest;
  facts.validity = policy::Validity{certificate.not_before(), certificate.not_after()};
  facts.common_name = certificate.common_name();
  for (const pki::AlternativeName& name : certificate.alternative_names()) {
    facts.names.push_back({kind_of(name.kind), name.value, facts.file});
  }
  if (certificate.is_self_issued() && certificate.verifies_with(key)) {
    facts.issuer = IssuerFacts{IssuerFacts::Kind::itself, {}, {}, {}};
  }
  return facts;
}

void require_none(policy::Refusals refusals) {
  if (refusals.details.empty()) return;
  throw Error(ErrorKind::invalid_object, std::move(refusals.details)).with_help(std::move(refusals.help));
}

}  // namespace

std::string add_refusals(const policy::Policies& policies, const GenerateRequest& request, const Issuer* issuer,
                         UnixTime not_before, std::optional<UnixTime> not_after, std::vector<std::string>& faults) {
  if (!request.container) return {};
  Facts facts;
  facts.act = request.external ? policy::Act::request : policy::Act::generate;
  facts.authority = request.certificate_authority;
  if (request.algorithm) {
    const KeyAlgorithmInfo& key = info(*request.algorithm);
    facts.key = policy::KeyFacts{key.family, key.bits, {}};
  }
  if (issuer != nullptr) facts.signing_key = key_facts(issuer->key->public_key());
  facts.digest = request.digest;
  if (not_after && !at_fault(faults, "day_till_expiration")) facts.validity = policy::Validity{not_before, *not_after};
  facts.common_name = request.common_name.value_or("");
  if (request.common_name) {
    for (const pki::AlternativeName& name : alternative_names_of(request)) {
      facts.names.push_back({kind_of(name.kind), name.value, field_of(request, name)});
    }
  }
  facts.fields = fields_of(request);
  facts.issuer = issuer_facts(request, issuer);
  facts.exportable = !request.block_private_key;

  const policy::Profile& own = policies.of(*request.container);
  policy::Refusals refusals = policy::check(own, facts);
  std::ranges::move(refusals.details, std::back_inserter(faults));
  if (issuer == nullptr) return refusals.help;
  // An authority signs nothing that its own container's profile refuses, wherever it is to stand. Who signs in that
  // container is another matter.
  const policy::Profile& signers = policies.of(issuer->record.container);
  if (&signers == &own) return refusals.help;
  facts.issuer.reset();
  policy::Refusals further = policy::check(signers, facts);
  std::ranges::move(further.details, std::back_inserter(faults));
  return refusals.help.empty() ? further.help : refusals.help;
}

void require_importable(const policy::Policies& policies, const ImportRequest& request,
                        const pki::Certificate& certificate) {
  Facts facts = facts_of(certificate, policy::Act::import_key);
  facts.exportable = !request.block_private_key;
  facts.key_file = request.key_file ? "key_file" : "certificate_file";
  require_none(policy::check(policies.of(*request.container), facts));
}

void require_completable(const policy::Policies& policies, const store::CertificateRecord& pending,
                         const pki::Certificate& certificate) {
  Facts facts = facts_of(certificate, policy::Act::complete);
  facts.requested_at = pending.created_at;
  require_none(policy::check(policies.of(pending.container), facts));
}

}  // namespace hsmsigner::service
