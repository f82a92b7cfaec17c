// Signing requests that are given their certificate.
#include <doctest/doctest.h>

#include <chrono>

#include "check_equal.h"
#include "sample_record.h"
#include "support/temporary_directory.h"

using namespace store_test;
using namespace std::chrono_literals;
using hsmsigner::ErrorKind;
using hsmsigner::UnixTime;
using hsmsigner::Uuid;

namespace {

struct Fixture {
  test_support::TemporaryDirectory directory;
  std::unique_ptr<Store> opened = Store::open({.path = directory.file("db"), .readers = 1});
  CertificateStore& store = opened->certificates();
  CertificateRecord pending = pending_record("request");

  Fixture() { insert(store, pending); }

  // A certificate for the request in which everything else is another's.
  CertificateRecord certificate() const {
    CertificateRecord record = sample_record("another name", {ContainerKind::device, "another"});
    record.id = pending.id;
    record.request_pem = "another request";
    record.key.reset();
    record.created_at = UnixTime(1s);
    record.common_name = "of the certificate";
    return record;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "completion takes the certificate's fields and keeps the request's own") {
  const CertificateRecord given = certificate();
  store.complete(given, soon());
  CertificateRecord expected = given;
  expected.container = pending.container;
  expected.name = pending.name;
  expected.request_pem = pending.request_pem;
  expected.key = pending.key;
  expected.created_at = pending.created_at;
  const auto found = store.find_by_name(pending.container, pending.name);
  REQUIRE(found.has_value());
  check_equal(*found, expected);
  CHECK(store.find_by_fingerprint(pending.container, given.fingerprint_sha256).has_value());
  CHECK(store.list(ContainerScope::everything(), std::nullopt, 0, 10).total == 1);
}

TEST_CASE_FIXTURE(Fixture, "only what is pending is completed, once") {
  CertificateRecord unknown = certificate();
  unknown.id = Uuid::random();
  CHECK((kind_of([&] { store.complete(unknown, soon()); }) == ErrorKind::object_not_present));
  store.complete(certificate(), soon());
  CertificateRecord second = certificate();
  second.serial_number = "FF";
  CHECK((kind_of([&] { store.complete(second, soon()); }) == ErrorKind::invalid_command));
  CHECK(store.find(pending.id)->serial_number == certificate().serial_number);
}

TEST_CASE_FIXTURE(Fixture, "a request that is being deleted is not completed: its key may be gone") {
  store.mark_deleting(pending.id, hsmsigner::system_now(), soon());
  CHECK((kind_of([&] { store.complete(certificate(), soon()); }) == ErrorKind::invalid_command));
  CHECK(store.find(pending.id)->pending());
  store.unmark_deleting(pending.id, soon());
  store.complete(certificate(), soon());
  CHECK_FALSE(store.find(pending.id)->pending());
}

TEST_CASE_FIXTURE(Fixture, "completion by an issuer here that is going is refused") {
  const CertificateRecord authority = sample_record("authority");
  insert(store, authority);
  store.mark_deleting(authority.id, hsmsigner::system_now(), soon());
  CertificateRecord record = certificate();
  record.issuer_id = authority.id;
  CHECK((kind_of([&] { store.complete(record, soon()); }) == ErrorKind::invalid_object));
  record.issuer_id = Uuid::random();
  CHECK((kind_of([&] { store.complete(record, soon()); }) == ErrorKind::invalid_object));
  CHECK(store.find(pending.id)->pending());
  store.unmark_deleting(authority.id, soon());
  record.issuer_id = authority.id;
  store.complete(record, soon());
  CHECK((store.find(pending.id)->issuer_id == authority.id));
}
