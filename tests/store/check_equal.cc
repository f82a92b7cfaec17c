#include "check_equal.h"

#include <doctest/doctest.h>

namespace store_test {

void check_equal(const CertificateRecord& a, const CertificateRecord& b) {
  CHECK(a.id == b.id);
  CHECK(a.container == b.container);
  CHECK(a.name == b.name);
  CHECK(a.common_name == b.common_name);
  CHECK(a.algorithm == b.algorithm);
  CHECK(a.certificate_authority == b.certificate_authority);
  CHECK(a.subject == b.subject);
  CHECK(a.issuer == b.issuer);
  CHECK(a.subject_hash == b.subject_hash);
  CHECK(a.issuer_hash == b.issuer_hash);
  CHECK((a.not_before == b.not_before));
  CHECK((a.not_after == b.not_after));
  CHECK(a.certificate_pem == b.certificate_pem);
  CHECK(a.request_pem == b.request_pem);
  CHECK(a.serial_number == b.serial_number);
  CHECK(a.fingerprint_sha256 == b.fingerprint_sha256);
  CHECK((a.issuer_id == b.issuer_id));
  CHECK(a.signed_by == b.signed_by);
  CHECK(a.digest == b.digest);
  CHECK(a.alternative_names == b.alternative_names);
  CHECK(a.warnings == b.warnings);
  CHECK((a.created_at == b.created_at));
  REQUIRE(a.key.has_value() == b.key.has_value());
  if (!a.key) return;
  CHECK(a.key->token_label == b.key->token_label);
  CHECK(a.key->token_serial == b.key->token_serial);
  CHECK(a.key->id == b.key->id);
  CHECK(a.key->type == b.key->type);
  CHECK(a.key->bits == b.key->bits);
  CHECK(a.key->sensitive == b.key->sensitive);
  CHECK(a.key->always_sensitive == b.key->always_sensitive);
  CHECK(a.key->extractable == b.key->extractable);
  CHECK(a.key->never_extractable == b.key->never_extractable);
  CHECK(a.key->local == b.key->local);
}

void check_equal(const AccountRecord& a, const AccountRecord& b) {
  CHECK(a.client_id == b.client_id);
  CHECK(a.description == b.description);
  CHECK(a.enabled == b.enabled);
  CHECK(a.grants == b.grants);
  CHECK((a.secret == b.secret));
  CHECK(a.secret_initial == b.secret_initial);
  CHECK((a.previous_secret == b.previous_secret));
  CHECK((a.previous_secret_end == b.previous_secret_end));
  CHECK((a.expires_at == b.expires_at));
  CHECK(a.generation == b.generation);
  CHECK(a.certificate_fingerprint == b.certificate_fingerprint);
  CHECK(a.certificate_subject == b.certificate_subject);
  CHECK((a.created_at == b.created_at));
  CHECK((a.changed_at == b.changed_at));
}

}  // namespace store_test
