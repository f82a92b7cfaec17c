// Use case: generate a certificate whose key is born in the token (HTTP contract, section 2).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/clock.h"
#include "pki/certificate.h"
#include "policy/policies.h"
#include "service/actor.h"
#include "service/answer_composer.h"
#include "service/key_pools.h"
#include "service/token_set.h"
#include "store/certificate_store.h"

namespace hsmsigner::service {

// What a caller asks for. A field that was faulty is left empty and its fault stands in `faults`, so that the faults
// which only the service can see are reported together with those of the form.
struct GenerateRequest {
  std::optional<store::Container> container;
  std::optional<KeyAlgorithm> algorithm;
  std::optional<std::string> certificate_name;
  std::optional<std::string> common_name;
  std::optional<Digest> digest;
  std::string signed_by;  // name or id; empty: self-signed
  bool external = false;  // `signed_by: external`: a signing request instead of a certificate
  bool certificate_authority = false;
  bool block_private_key = true;
  std::optional<int> days;  // absent: 365, or what the issuer has left if that is less
  std::string country_code;
  std::string state;
  std::string locality;
  std::vector<std::string> departments;
  std::string email;
  std::vector<pki::AlternativeName> alternative_names;  // alternate_email, hostname, ip, as given
  std::string ocsp_responder_url;
  // One public sentence per fault found so far, each beginning with its field's path.
  std::vector<std::string> faults;
};

class NameReservations;

class Generation {
 public:
  // All of them outlive this object. Without pools every key is made at once.
  Generation(TokenSet& tokens, store::CertificateStore& store, NameReservations& names,
             const policy::Policies& policies, Clock clock, KeyPools* pools = nullptr);
  ~Generation();

  // Refuses before a key is made whatever can be refused; a failure after that destroys the key, or
  // gives it back to the pool if it has signed nothing. Returns once the
  // certificate, or the signing request, is durable. Throws Error: auth_unauthorized, invalid_object (all faults at
  // once), name_not_unique, session_timeout, token_unavailable, too_many_requests, internal_error. Thread safe.
  store::CertificateRecord generate(const Actor& actor, GenerateRequest request, Deadline deadline,
                                    const ComposeAnswer& compose = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hsmsigner::service
