// A certificate as a row, and the statements over rows. Private to the store.
#pragma once

#include <soci/soci.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "store/certificate_record.h"

namespace hsmsigner::store {

struct NullableText {
  std::string text;
  soci::indicator indicator = soci::i_null;
};

// A CertificateRecord in the types that SOCI binds. Booleans are 0 and 1, times seconds since the epoch, a list one
// text with every element ended by a line feed.
struct CertificateRow {
  std::string id, container_kind, container_name, name, common_name, algorithm;
  long long certificate_authority = 0;
  std::string subject, issuer, subject_hash, issuer_hash;
  long long not_before = 0, not_after = 0;
  std::string certificate_pem, serial_number, fingerprint_sha256;
  NullableText issuer_id;
  std::string signed_by, digest, alternative_names, warnings;
  std::string key_token_label, key_token_serial, key_id, key_type;
  long long key_bits = 0, key_sensitive = 0, key_always_sensitive = 0, key_extractable = 0, key_never_extractable = 0,
            key_local = 0, created_at = 0;
};

// Throws Error{internal_error} when a list's element holds a control character.
CertificateRow to_row(const CertificateRecord& record);
// Throws Error{internal_error} when the row was not written by to_row().
CertificateRecord to_record(const CertificateRow& row);

// Statements are prepared once per connection and bound to members, so these objects stay where they are. One thread
// at a time.
class InsertCertificate {
 public:
  explicit InsertCertificate(soci::session& session);
  InsertCertificate(const InsertCertificate&) = delete;
  InsertCertificate& operator=(const InsertCertificate&) = delete;

  // Throws soci_error; is_constraint_violation() for a name that its container has already, an id that is there, or an
  // issuer that is not.
  void operator()(const CertificateRow& row);

 private:
  CertificateRow row_;
  soci::statement statement_;
};

class NameTaken {
 public:
  explicit NameTaken(soci::session& session);
  NameTaken(const NameTaken&) = delete;
  NameTaken& operator=(const NameTaken&) = delete;

  bool operator()(const std::string& container_kind, const std::string& container_name, const std::string& name);

 private:
  std::string container_kind_, container_name_, name_;
  long long count_ = 0;
  soci::statement statement_;
};

// SELECT of whole rows, by up to three texts and optionally LIMIT and OFFSET.
class SelectCertificates {
 public:
  enum class Paged { no, yes };
  // `clauses` follows FROM: its parameters are named :a, :b, :c in this order, and :limit, :offset when paged.
  SelectCertificates(soci::session& session, const std::string& clauses, std::size_t texts, Paged paged = Paged::no);
  SelectCertificates(const SelectCertificates&) = delete;
  SelectCertificates& operator=(const SelectCertificates&) = delete;

  std::vector<CertificateRow> operator()(const std::vector<std::string>& texts, std::size_t offset = 0,
                                         std::size_t limit = 0);

 private:
  std::string texts_[3];
  long long limit_ = 0;
  long long offset_ = 0;
  CertificateRow row_;
  soci::statement statement_;
};

}  // namespace hsmsigner::store
