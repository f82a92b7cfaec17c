#include "service/evidence.h"

#include "audit/event_line.h"
#include "base/base64.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/signature.h"
#include "pki/certificate.h"
#include "service/access_rules.h"

namespace hsmsigner::service {
namespace {

// Every key of a size that anybody uses can sign it: RSA from 496 bits (RFC 8017 9.2).
constexpr Digest kChallengeDigest = Digest::sha256;
constexpr std::size_t kRandomOctets = 32;

void require_key(const store::CertificateRecord& record) {
  if (record.pending()) {
    throw Error(ErrorKind::invalid_command,
                {"id: the signing request has not been answered yet; there is no certificate "
                 "to give evidence for"});
  }
  if (!record.key) {
    throw Error(ErrorKind::invalid_command, {"id: this certificate was imported without its private key"});
  }
}

audit::KeyEvidence::Certificate described(const store::CertificateRecord& record) {
  return {.id = record.id.to_string(),
          .name = record.name,
          .container = record.container.to_string(),
          .serial = record.serial_number,
          .fingerprint_sha256 = record.fingerprint_sha256,
          .pem = record.certificate_pem};
}

// Texts of a token are any octets.
audit::KeyEvidence::Token described(const hsm::TokenInfo& token) {
  const std::size_t slash = token.module_path.rfind('/');
  return {.label = audit::presentable(token.label),
          .serial = audit::presentable(token.serial),
          .manufacturer = audit::presentable(token.manufacturer),
          .model = audit::presentable(token.model),
          .firmware = token.firmware,
          .module =
              audit::presentable(slash == std::string::npos ? token.module_path : token.module_path.substr(slash + 1)),
          .module_description = audit::presentable(token.module_description)};
}

audit::KeyEvidence::Key described(const hsm::KeyAttributes& attributes) {
  audit::KeyEvidence::Key key;
  key.id = to_hex(attributes.id);
  key.label = audit::presentable(attributes.label);
  key.type = to_string(attributes.family);
  key.bits = attributes.bits;
  key.generation_mechanism = attributes.generation_mechanism;
  if (key.generation_mechanism)
    key.generation_mechanism_name = hsm::generation_mechanism_name(*key.generation_mechanism);
  key.token = attributes.token;
  key.is_private = attributes.is_private;
  key.sensitive = attributes.sensitive;
  key.always_sensitive = attributes.always_sensitive;
  key.extractable = attributes.extractable;
  key.never_extractable = attributes.never_extractable;
  key.local = attributes.local;
  key.sign = attributes.sign;
  key.decrypt = attributes.decrypt;
  key.unwrap = attributes.unwrap;
  key.derive = attributes.derive;
  return key;
}

bool is_as_recorded(const store::KeyRecord& record, const audit::KeyEvidence::Key& key, const hsm::TokenInfo& token) {
  return record.token_label == token.label && record.token_serial == token.serial && record.id == key.id &&
         record.type == key.type && record.bits == key.bits && record.sensitive == key.sensitive &&
         record.always_sensitive == key.always_sensitive && record.extractable == key.extractable &&
         record.never_extractable == key.never_extractable && record.local == key.local;
}

audit::Event event_of(const Actor& actor, const audit::KeyEvidence& evidence, const std::string& jws) {
  audit::Event event{.kind = audit::EventKind::evidence_given,
                     .origin = actor.origin,
                     .object = evidence.certificate.id,
                     .container = evidence.certificate.container};
  std::string failed;
  for (const audit::Verdict& verdict : audit::verdicts_of(evidence)) {
    if (!verdict.passed) failed += (failed.empty() ? "" : ", ") + std::string(verdict.name);
  }
  event.details = {{"name", evidence.certificate.name},
                   {"nonce", evidence.nonce},
                   {"failed", failed},
                   {"key_id", crypto::read_jws(jws).key_id},
                   {"jws_sha256", crypto::sha256_hex(jws)}};
  return event;
}

}  // namespace

std::string Evidence::give(const Actor& actor, const Uuid& id, const std::optional<Container>& container,
                           const std::string& nonce, Deadline deadline) {
  const store::CertificateRecord record = catalogue_.get(actor.caller, id, container);
  require(actor.caller, auth::Operation::read_evidence, record.container);
  require_key(record);
  hsm::Token& token = tokens_.holding(*record.key);

  audit::KeyEvidence evidence;
  evidence.time = system_now_millis();
  evidence.nonce = nonce;
  evidence.certificate = described(record);
  evidence.token = described(token.info());
  evidence.probe = probes_.at(tokens_.place_of(*record.key).value());
  evidence.random = to_hex(token.random(kRandomOctets, deadline));
  const std::string challenge = audit::challenge_of(evidence);
  const Bytes digest =
      crypto::hash(kChallengeDigest, {reinterpret_cast<const std::uint8_t*>(challenge.data()), challenge.size()});
  const PublicKey public_key = pki::Certificate::from_pem(record.certificate_pem).public_key();

  const hsm::KeyExamination examination = token.examine(id, public_key, kChallengeDigest, digest, deadline);
  // Deleted meanwhile: then there is nothing to give evidence for.
  if (examination.private_keys == 0) catalogue_.get(actor.caller, id, container);
  evidence.private_keys = examination.private_keys;
  if (examination.attributes) {
    evidence.key = described(*examination.attributes);
    evidence.matches_record = is_as_recorded(*record.key, *evidence.key, token.info());
  }
  if (examination.signature) {
    evidence.signature = to_base64(*examination.signature);
    evidence.answers_challenge = crypto::verifies(public_key, kChallengeDigest, digest, *examination.signature);
  }

  std::string jws = audit_key_.sign(audit::kKeyEvidenceType, audit::payload_of(evidence), deadline);
  journal_.append(event_of(actor, evidence, jws), deadline);
  return jws;
}

}  // namespace hsmsigner::service
