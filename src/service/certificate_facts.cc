#include "service/certificate_facts.h"

#include <algorithm>

#include "base/algorithm.h"
#include "base/utf8.h"

namespace hsmsigner::service {
namespace {

// Below 112 bits of strength (NIST SP 800-57 part 1, table 2); every curve of the algorithm table is above.
bool is_weak(const PublicKey& key) { return family_of(key) == KeyFamily::rsa && bits_of(key) < 2048; }

// Others' certificates may hold anything; a record holds UTF-8 without control characters.
std::string printable(std::string text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (utf8_length(text) && std::ranges::none_of(text, is_control)) return text;
  std::ranges::replace_if(
      text, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

}  // namespace

store::CertificateRecord new_record(const Container& container, const std::string& name, UnixTime created_at) {
  return store::CertificateRecord{
      .id = Uuid::random(),
      .container = container,
      .name = name,
      .common_name = {},
      .algorithm = {},
      .certificate_authority = false,
      .subject = {},
      .issuer = {},
      .subject_hash = {},
      .issuer_hash = {},
      .not_before = {},
      .not_after = {},
      .certificate_pem = {},
      .request_pem = {},
      .serial_number = {},
      .fingerprint_sha256 = {},
      .issuer_id = {},
      .signed_by = {},
      .digest = {},
      .alternative_names = {},
      .warnings = {},
      .key = {},
      .created_at = created_at,
  };
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

std::vector<std::string> texts_of(const std::vector<pki::AlternativeName>& names) {
  std::vector<std::string> texts;
  for (const pki::AlternativeName& name : names) texts.push_back(printable(name.to_string()));
  return texts;
}

void fill_from(const pki::Certificate& certificate, store::CertificateRecord& record) {
  const PublicKey key = certificate.public_key();
  const std::optional<Digest> digest = certificate.signature_digest();
  record.common_name = printable(certificate.common_name());
  record.algorithm = to_string(family_of(key));
  record.certificate_authority = certificate.is_certificate_authority();
  record.subject = certificate.subject();
  record.issuer = certificate.issuer();
  record.subject_hash = certificate.subject_hash_old();
  record.issuer_hash = certificate.issuer_hash_old();
  record.not_before = certificate.not_before();
  record.not_after = certificate.not_after();
  record.certificate_pem = certificate.pem();
  record.serial_number = certificate.serial_number();
  record.fingerprint_sha256 = certificate.fingerprint_sha256();
  record.digest = digest ? std::string(info(*digest).name) : std::string();
  // As they stand in the certificate, whatever a request's spelling.
  record.alternative_names = texts_of(certificate.alternative_names());
  record.warnings = weaknesses(key, digest);
}

std::vector<std::string> weaknesses(const PublicKey& key, std::optional<Digest> digest) {
  std::vector<std::string> warnings;
  if (is_weak(key)) {
    warnings.push_back("algorithm: RSA-" + std::to_string(bits_of(key)) +
                       " has less than 112 bits of strength (NIST SP 800-57)");
  }
  if (digest && info(*digest).weak) {
    warnings.push_back("digest: " + std::string(info(*digest).name) + " is no longer collision resistant");
  }
  return warnings;
}

}  // namespace hsmsigner::service
