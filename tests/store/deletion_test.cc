// Certificates that go, and those they signed.
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

constexpr UnixTime now{2000000000s};

struct Fixture {
  test_support::TemporaryDirectory directory;
  std::unique_ptr<Store> opened = Store::open({.path = directory.file("db"), .readers = 1});
  CertificateStore& store = opened->certificates();
  CertificateRecord authority = sample_record("authority");

  Fixture() { insert(store, authority); }

  CertificateRecord child(const std::string& name, UnixTime end) const {
    CertificateRecord record = sample_record(name);
    record.issuer_id = authority.id;
    record.not_after = end;
    return record;
  }
  void mark(const Uuid& id) { store.mark_deleting(id, now, soon()); }
  std::optional<ErrorKind> kind_of_mark(const Uuid& id) {
    return kind_of([&] { mark(id); });
  }
};

void check_refused_issuer(const std::optional<hsmsigner::Error>& error) {
  REQUIRE(error.has_value());
  CHECK(error->kind() == ErrorKind::invalid_object);
  CHECK(error->details() == std::vector<std::string>{"signed_by: this certificate authority is being deleted"});
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a certificate is marked, can still be read, and is erased") {
  mark(authority.id);
  const auto marked = store.find(authority.id);
  REQUIRE(marked.has_value());
  check_equal(*marked, authority);
  CHECK(store.name_taken(authority.container, authority.name));
  CHECK(store.list(ContainerScope::everything(), std::nullopt, 0, 10).total == 1);

  store.erase(authority.id, soon());
  CHECK_FALSE(store.find(authority.id).has_value());
  CHECK_FALSE(store.name_taken(authority.container, authority.name));
  store.erase(authority.id, soon());  // nothing happens when it is gone
  store.unmark_deleting(authority.id, soon());
  insert(store, sample_record(authority.name));  // the name is free again
}

TEST_CASE_FIXTURE(Fixture, "what is not there cannot be marked") {
  CHECK((kind_of_mark(Uuid::random()) == ErrorKind::object_not_present));
  mark(authority.id);
  store.erase(authority.id, soon());
  CHECK((kind_of_mark(authority.id) == ErrorKind::object_not_present));
}

TEST_CASE_FIXTURE(Fixture, "unexpired certificates that it signed keep an authority") {
  insert(store, child("expired", now - 1s));
  CHECK_FALSE(kind_of_mark(authority.id).has_value());
  store.unmark_deleting(authority.id, soon());

  insert(store, child("until now", now));
  auto error = error_of([&] { mark(authority.id); });
  REQUIRE(error.has_value());
  CHECK(error->kind() == ErrorKind::reference_not_zero);
  CHECK(error->details() == std::vector<std::string>{"id: unexpired certificates are signed by this one"});

  insert(store, child("later", now + 1s));
  error = error_of([&] { mark(authority.id); });
  REQUIRE(error.has_value());
  CHECK(error->details() == std::vector<std::string>{"id: unexpired certificates are signed by this one"});

  // Refused, so not marked either.
  insert(store, child("still issued", now - 1s));
  CHECK_FALSE(kind_of([&] { store.mark_deleting(authority.id, now + 2s, soon()); }).has_value());
}

TEST_CASE_FIXTURE(Fixture, "neither itself, nor a pending request, nor another's certificate keeps an authority") {
  CertificateRecord self = sample_record("own issuer");
  insert(store, self);
  // A record that names itself as its issuer can come from completion only: on insertion it is not there yet.
  CertificateRecord request = pending_record("request");
  insert(store, request);
  CertificateRecord completed = sample_record("request");
  completed.id = completed.issuer_id.emplace(request.id);
  store.complete(completed, soon());
  CHECK_FALSE(kind_of_mark(request.id).has_value());
  store.erase(request.id, soon());
  CHECK_FALSE(store.find(request.id).has_value());

  CertificateRecord pending = pending_record("pending");
  pending.issuer_id = authority.id;
  pending.not_after = now + 100s;
  insert(store, pending);
  CertificateRecord others = sample_record("of another");
  others.issuer_id = self.id;
  insert(store, others);
  CHECK_FALSE(kind_of_mark(authority.id).has_value());
  CHECK((kind_of_mark(self.id) == ErrorKind::reference_not_zero));
}

TEST_CASE_FIXTURE(Fixture, "an expired certificate outlives its issuer, with no issuer") {
  CertificateRecord expired = child("expired", now - 1s);
  insert(store, expired);
  mark(authority.id);
  store.erase(authority.id, soon());
  CHECK_FALSE(store.find(authority.id).has_value());
  const auto left = store.find(expired.id);
  REQUIRE(left.has_value());
  expired.issuer_id.reset();
  check_equal(*left, expired);  // also signed_by: the name of who signed it
}

TEST_CASE_FIXTURE(Fixture, "an authority that is being deleted or is gone issues no more") {
  mark(authority.id);
  const CertificateRecord late = child("late", now + 100s);
  check_refused_issuer(error_of([&] { insert(store, late); }));
  CHECK_FALSE(store.find(late.id).has_value());

  store.unmark_deleting(authority.id, soon());
  insert(store, late);
  store.mark_deleting(late.id, now, soon());
  store.erase(late.id, soon());

  mark(authority.id);
  store.erase(authority.id, soon());
  check_refused_issuer(error_of([&] { insert(store, late); }));
  CHECK_FALSE(store.find(late.id).has_value());
}

TEST_CASE_FIXTURE(Fixture, "a mark that a crash left behind does not stop the next deletion") {
  mark(authority.id);
  opened.reset();
  opened = Store::open({.path = directory.file("db"), .readers = 1});
  CertificateStore& again = opened->certificates();
  check_refused_issuer(error_of([&] { insert(again, child("late", now)); }));  // the mark lasts
  again.mark_deleting(authority.id, now, soon());
  again.erase(authority.id, soon());
  CHECK_FALSE(again.find(authority.id).has_value());
}
