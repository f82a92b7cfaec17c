#include "store/certificate_rows.h"

namespace hsmsigner::store {
namespace {

void write_key(const KeyRecord& key, CertificateRow& row) {
  // Read back, it would be no key at all.
  if (key.id.empty()) throw Error(ErrorKind::internal_error).with_cause("a key without an id is to be stored");
  static_cast<KeyColumns&>(row) = to_columns(key);
}

std::optional<KeyRecord> read_key(const CertificateRow& row) {
  if (row.key_id.empty()) return std::nullopt;
  return to_key(row);
}

}  // namespace

CertificateRow to_row(const CertificateRecord& record) {
  CertificateRow row;
  row.id = record.id.to_string();
  row.container_kind = to_string(record.container.kind);
  row.container_name = record.container.name;
  row.name = record.name;
  row.common_name = record.common_name;
  row.algorithm = record.algorithm;
  row.certificate_authority = to_number(record.certificate_authority);
  row.subject = record.subject;
  row.issuer = record.issuer;
  row.subject_hash = record.subject_hash;
  row.issuer_hash = record.issuer_hash;
  row.not_before = to_number(record.not_before);
  row.not_after = to_number(record.not_after);
  row.certificate_pem = record.certificate_pem;
  row.request_pem = record.request_pem;
  row.serial_number = record.serial_number;
  row.fingerprint_sha256 = record.fingerprint_sha256;
  if (record.issuer_id) row.issuer_id = {record.issuer_id->to_string(), soci::i_ok};
  row.signed_by = record.signed_by;
  row.digest = record.digest;
  row.alternative_names = to_lines(record.alternative_names);
  row.warnings = to_lines(record.warnings);
  if (record.key) write_key(*record.key, row);
  row.created_at = to_number(record.created_at);
  return row;
}

CertificateRecord to_record(const CertificateRow& row) {
  // Named one by one: a Uuid has no empty state to start from.
  return CertificateRecord{
      .id = to_uuid(row.id),
      .container = {intact(container_kind_from(row.container_kind)), row.container_name},
      .name = row.name,
      .common_name = row.common_name,
      .algorithm = row.algorithm,
      .certificate_authority = row.certificate_authority != 0,
      .subject = row.subject,
      .issuer = row.issuer,
      .subject_hash = row.subject_hash,
      .issuer_hash = row.issuer_hash,
      .not_before = to_time(row.not_before),
      .not_after = to_time(row.not_after),
      .certificate_pem = row.certificate_pem,
      .request_pem = row.request_pem,
      .serial_number = row.serial_number,
      .fingerprint_sha256 = row.fingerprint_sha256,
      .issuer_id = row.issuer_id.null() ? std::nullopt : std::optional(to_uuid(row.issuer_id.value)),
      .signed_by = row.signed_by,
      .digest = row.digest,
      .alternative_names = from_lines(row.alternative_names),
      .warnings = from_lines(row.warnings),
      .key = read_key(row),
      .created_at = to_time(row.created_at),
  };
}

}  // namespace hsmsigner::store
