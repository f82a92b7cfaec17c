#include "sample_record.h"

namespace store_test {

using namespace std::chrono_literals;
using hsmsigner::Deadline;
using hsmsigner::Error;
using hsmsigner::ErrorKind;
using hsmsigner::UnixTime;
using hsmsigner::Uuid;

CertificateRecord sample_record(const std::string& name, const Container& container) {
  const Uuid id = Uuid::random();
  return CertificateRecord{
      .id = id,
      .container = container,
      .name = name,
      .common_name = "cn of " + name,
      .algorithm = "EC",
      .certificate_authority = true,
      .subject = "/CN=" + name,
      .issuer = "/CN=issuer of " + name,
      .subject_hash = "01234567",
      .issuer_hash = "89abcdef",
      .not_before = UnixTime(1600000000s),
      .not_after = UnixTime(253402300799s),  // 9999-12-31 23:59:59, past 32 bits (RFC 5280 4.1.2.5)
      .certificate_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      .serial_number = "0A0B",
      .fingerprint_sha256 = "AA:BB",
      .issuer_id = std::nullopt,
      .signed_by = "the signer",
      .digest = "sha256",
      .alternative_names = {"DNS:a.example", "", "IP:::1"},
      .warnings = {"weak; x'; DROP TABLE certificate; --"},
      .key = {.token_label = "label",
              .token_serial = "serial",
              .id = hsmsigner::to_hex(id.bytes()),
              .type = "EC",
              .bits = 521,
              .sensitive = true,
              .always_sensitive = false,
              .extractable = true,
              .never_extractable = false,
              .local = true},
      .created_at = UnixTime(4102444800s),
  };
}

Deadline soon() { return hsmsigner::deadline_in(30s); }

void insert(CertificateStore& store, const CertificateRecord& record) { store.insert(record, soon()); }

std::optional<Error> error_of(const std::function<void()>& action) {
  try {
    action();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
}

std::optional<ErrorKind> kind_of(const std::function<void()>& action) {
  const std::optional<Error> error = error_of(action);
  return error ? std::optional(error->kind()) : std::nullopt;
}

}  // namespace store_test
