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
      .request_pem = "-----BEGIN CERTIFICATE REQUEST-----\nBBBB\n-----END CERTIFICATE REQUEST-----\n",
      .serial_number = "0A0B",
      .fingerprint_sha256 = hsmsigner::to_colon_hex(id.bytes()),
      .issuer_id = std::nullopt,
      .signed_by = "the signer",
      .digest = "sha256",
      .alternative_names = {"DNS:a.example", "", "IP:::1"},
      .warnings = {"weak; x'; DROP TABLE certificate; --"},
      .key = hsmsigner::store::KeyRecord{.token_label = "label",
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

CertificateRecord pending_record(const std::string& name, const Container& container) {
  CertificateRecord record = sample_record(name, container);
  record.certificate_authority = false;
  record.certificate_pem = record.serial_number = record.fingerprint_sha256 = "";
  record.issuer = record.issuer_hash = "";
  record.not_before = record.not_after = UnixTime();
  record.signed_by = "external";
  return record;
}

AccountRecord sample_account(const std::string& client_id) {
  AccountRecord account;
  account.client_id = client_id;
  account.description = "what " + client_id + " is for\nin two lines; x'; DROP TABLE account; --";
  account.enabled = false;
  account.grants = {"issuer=folder:Payments", "reader=*"};
  account.secret = {{0, 1, 0xfe, 0xff}, {0x10, 0x20, 0}};
  account.secret_initial = false;
  account.previous_secret = hsmsigner::store::SecretHash{{3}, {4, 5}};
  account.previous_secret_end = UnixTime(1700000001s);
  account.expires_at = UnixTime(4102444801s);
  account.generation = 7;
  account.certificate_fingerprint = "FP:" + client_id;
  account.certificate_subject = "/CN=" + client_id;
  account.created_at = UnixTime(1700000002s);
  account.changed_at = UnixTime(1700000003s);
  return account;
}

AnswerRecord sample_answer(const std::string& client_id, const std::string& key_hash) {
  AnswerRecord answer;
  answer.client_id = client_id;
  answer.key_hash = key_hash;
  answer.request_hash = "request " + key_hash;
  answer.sealed = "sealed " + key_hash;
  answer.created_at = UnixTime(1700000000s);
  return answer;
}

Deadline soon() { return hsmsigner::deadline_in(30s); }

void insert(Store& store, const CertificateRecord& record) { insert(store.certificates(), record); }
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
