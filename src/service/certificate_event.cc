#include "service/certificate_event.h"

#include "base/algorithm.h"
#include "pki/certificate.h"

namespace hsmsigner::service {
namespace {

// A certificate without its key says what key it is for.
std::string key_text(const store::CertificateRecord& record) {
  const std::optional<store::KeyRecord>& key = record.key;
  if (!key) {
    const PublicKey of_certificate = pki::Certificate::from_pem(record.certificate_pem).public_key();
    return "not here, " + std::string(to_string(family_of(of_certificate))) + "-" +
           std::to_string(bits_of(of_certificate));
  }
  return key->type + "-" + std::to_string(key->bits) + (key->local ? ", made in the token" : ", imported") +
         (key->extractable ? ", extractable" : ", not extractable");
}

}  // namespace

audit::Event certificate_event(audit::EventKind kind, const Actor& actor, const store::CertificateRecord& record) {
  audit::Event event{
      .kind = kind, .origin = actor.origin, .object = record.id.to_string(), .container = record.container.to_string()};
  auto& details = event.details;
  details.emplace_back("name", record.name);
  details.emplace_back("key", key_text(record));
  details.emplace_back("token", record.key ? record.key->token_serial : "");
  details.emplace_back("subject", record.subject);
  if (!record.pending()) {
    details.emplace_back("issuer", record.issuer);
    details.emplace_back("serial", record.serial_number);
    details.emplace_back("sha256", record.fingerprint_sha256);
    details.emplace_back("not_before", date_time(record.not_before));
    details.emplace_back("not_after", date_time(record.not_after));
    details.emplace_back("ca", record.certificate_authority ? "true" : "false");
  }
  details.emplace_back("digest", record.digest);
  std::string warnings;
  for (const std::string& warning : record.warnings) warnings += (warnings.empty() ? "" : "; ") + warning;
  if (!warnings.empty()) details.emplace_back("warnings", warnings);
  return event;
}

}  // namespace hsmsigner::service
