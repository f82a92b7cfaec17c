// A certificate as a row. Private to the store.
#pragma once

#include <string>
#include <vector>

#include "store/certificate_record.h"
#include "store/columns.h"
#include "store/key_columns.h"

namespace hsmsigner::store {

// key_id is "" when there is no key.
struct CertificateRow : KeyColumns {
  std::string id, container_kind, container_name, name, common_name, algorithm;
  long long certificate_authority = 0;
  std::string subject, issuer, subject_hash, issuer_hash;
  long long not_before = 0, not_after = 0;
  std::string certificate_pem, request_pem, serial_number, fingerprint_sha256;
  Nullable<std::string> issuer_id;
  std::string signed_by, digest, alternative_names, warnings;
  long long created_at = 0;

  static constexpr const char* table = "certificate";

  // The one list of the columns; the statements are made from it. `deleting` is not among them: it is of the store's
  // own keeping.
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("id", row.id);
    visit("container_kind", row.container_kind);
    visit("container_name", row.container_name);
    visit("name", row.name);
    visit("common_name", row.common_name);
    visit("algorithm", row.algorithm);
    visit("certificate_authority", row.certificate_authority);
    visit("subject", row.subject);
    visit("issuer", row.issuer);
    visit("subject_hash", row.subject_hash);
    visit("issuer_hash", row.issuer_hash);
    visit("not_before", row.not_before);
    visit("not_after", row.not_after);
    visit("certificate_pem", row.certificate_pem);
    visit("request_pem", row.request_pem);
    visit("serial_number", row.serial_number);
    visit("fingerprint_sha256", row.fingerprint_sha256);
    visit("issuer_id", row.issuer_id);
    visit("signed_by", row.signed_by);
    visit("digest", row.digest);
    visit("alternative_names", row.alternative_names);
    visit("warnings", row.warnings);
    for_each_key_column(row, visit);
    visit("created_at", row.created_at);
  }
};

// Throws Error{internal_error} when a list's element holds a control character.
CertificateRow to_row(const CertificateRecord& record);
// Throws Error{internal_error} when the row was not written by to_row().
CertificateRecord to_record(const CertificateRow& row);

}  // namespace hsmsigner::store
