#include "store/certificate_store.h"

#include <doctest/doctest.h>

#include <limits>

#include "check_equal.h"
#include "sample_record.h"
#include "support/temporary_directory.h"

using namespace store_test;
using hsmsigner::container_kind_from;
using hsmsigner::ErrorKind;
using hsmsigner::Uuid;
using hsmsigner::store::Page;

namespace {

struct Fixture {
  test_support::TemporaryDirectory directory;
  std::unique_ptr<Store> opened;
  CertificateStore* store = nullptr;

  Fixture() { open_anew(); }
  void open_anew() {
    opened.reset();
    opened = Store::open({.path = directory.file("certificates.db"), .readers = 2});
    store = &opened->certificates();
  }
};

std::vector<std::string> names_of(const std::vector<CertificateRecord>& records) {
  std::vector<std::string> names;
  for (const CertificateRecord& record : records) names.push_back(record.name);
  return names;
}

using Names = std::vector<std::string>;

const ContainerScope everything = ContainerScope::everything();
const Container folder_a{ContainerKind::folder, "A"};
const Container folder_b{ContainerKind::folder, "B"};
const Container device_a{ContainerKind::device, "A"};

}  // namespace

TEST_CASE("the kinds of containers have names that read back") {
  for (const ContainerKind kind : {ContainerKind::folder, ContainerKind::snippet, ContainerKind::device}) {
    CHECK((container_kind_from(to_string(kind)) == kind));
  }
  CHECK_FALSE(container_kind_from("Folder").has_value());
  CHECK_FALSE(container_kind_from("").has_value());
}

TEST_CASE_FIXTURE(Fixture, "every field comes back, also after the store was opened anew") {
  const CertificateRecord root = sample_record("root");
  CertificateRecord leaf = sample_record("leaf");
  leaf.issuer_id = root.id;
  leaf.certificate_authority = false;
  leaf.key->always_sensitive = leaf.key->never_extractable = true;
  leaf.key->sensitive = leaf.key->extractable = leaf.key->local = false;
  leaf.alternative_names.clear();
  leaf.warnings = {""};
  leaf.subject = "/CN=\xC3\xA4\xF0\x9F\x94\x91";
  leaf.common_name = "";
  leaf.not_before = hsmsigner::UnixTime(std::chrono::seconds(-1));
  insert(*store, root);
  insert(*store, leaf);
  CertificateRecord keyless = sample_record("keyless");
  keyless.key.reset();
  keyless.request_pem = "";
  insert(*store, keyless);
  const CertificateRecord pending = pending_record("pending");
  insert(*store, pending);
  CHECK(pending.pending());
  CHECK_FALSE(root.pending());

  for (int round = 0; round < 2; ++round) {
    for (const CertificateRecord& expected : {root, leaf, keyless, pending}) {
      const auto found = store->find(expected.id);
      REQUIRE(found.has_value());
      check_equal(*found, expected);
      const auto by_name = store->find_by_name(expected.container, expected.name);
      REQUIRE(by_name.has_value());
      check_equal(*by_name, expected);
    }
    open_anew();
  }
}

TEST_CASE_FIXTURE(Fixture, "what is not there is nothing, not an error") {
  CHECK_FALSE(store->find(Uuid::random()).has_value());
  CHECK_FALSE(store->find_by_name(folder_a, "x").has_value());
  CHECK_FALSE(store->name_taken(folder_a, "x"));
  CHECK(store->find_by_name_anywhere("x", everything, 10).empty());
  CHECK(store->list(everything, std::nullopt, 0, 10).total == 0);
}

TEST_CASE_FIXTURE(Fixture, "a name is unique in its container, and only there") {
  insert(*store, sample_record("name", folder_a));
  const CertificateRecord second = sample_record("name", folder_a);
  const auto error = error_of([&] { insert(*store, second); });
  REQUIRE(error.has_value());
  CHECK(error->kind() == ErrorKind::name_not_unique);
  REQUIRE(error->details().size() == 1);
  CHECK(error->details()[0].starts_with("certificate_name: "));
  CHECK_FALSE(store->find(second.id).has_value());

  insert(*store, sample_record("name", folder_b));
  insert(*store, sample_record("name", device_a));
  insert(*store, sample_record("Name", folder_a));
  insert(*store, sample_record("name", {ContainerKind::folder, "a"}));
  insert(*store, sample_record("name ", folder_a));
  CHECK(store->name_taken(folder_a, "name"));
  CHECK_FALSE(store->name_taken(folder_a, "NAME"));
  CHECK_FALSE(store->name_taken({ContainerKind::snippet, "A"}, "name"));
  CHECK_FALSE(store->find_by_name(folder_b, "Name").has_value());
}

TEST_CASE_FIXTURE(Fixture, "another broken constraint is not called a name") {
  const CertificateRecord first = sample_record("first");
  insert(*store, first);
  CertificateRecord same_id = sample_record("second");
  same_id.id = first.id;
  CHECK((kind_of([&] { insert(*store, same_id); }) == ErrorKind::internal_error));

  CHECK(store->list(everything, std::nullopt, 0, 10).total == 1);
}

TEST_CASE_FIXTURE(Fixture, "a database's error says nothing of the values, in no field") {
  CertificateRecord second = sample_record("a-name-to-look-for");
  const CertificateRecord first = sample_record("first");
  insert(*store, first);
  second.id = first.id;
  const auto error = error_of([&] { insert(*store, second); });
  REQUIRE(error.has_value());
  CHECK(std::string(error->what()).find("a-name-to-look-for") == std::string::npos);
  CHECK(std::string(error->what()).find("SQLite result 19") != std::string::npos);
  CHECK(error->details().at(0).find("SQLite") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a control character in a list is refused, not stored") {
  CertificateRecord record = sample_record("name");
  record.alternative_names = {"DNS:a\nDNS:b"};
  CHECK((kind_of([&] { insert(*store, record); }) == ErrorKind::internal_error));
  CHECK_FALSE(store->find(record.id).has_value());
}

TEST_CASE_FIXTURE(Fixture, "a key without an id is refused, since it would read back as no key") {
  CertificateRecord record = sample_record("name");
  record.key->id = "";
  CHECK((kind_of([&] { insert(*store, record); }) == ErrorKind::internal_error));
  CHECK_FALSE(store->find(record.id).has_value());
}

TEST_CASE_FIXTURE(Fixture, "a certificate is found by its fingerprint in its container, and only there") {
  CertificateRecord first = sample_record("b", folder_a);
  CertificateRecord second = sample_record("a", folder_b);
  CertificateRecord other = sample_record("c", folder_a);
  first.fingerprint_sha256 = second.fingerprint_sha256 = "11:22";
  other.fingerprint_sha256 = "33:44";
  for (const CertificateRecord& record : {first, second, other, pending_record("p", folder_a)}) insert(*store, record);

  const auto in_a = store->find_by_fingerprint(folder_a, "11:22");
  REQUIRE(in_a.has_value());
  check_equal(*in_a, first);
  CHECK(store->find_by_fingerprint(folder_b, "11:22")->id == second.id);
  CHECK_FALSE(store->find_by_fingerprint(folder_b, "33:44").has_value());
  CHECK_FALSE(store->find_by_fingerprint(device_a, "11:22").has_value());
  CHECK_FALSE(store->find_by_fingerprint(folder_a, "").has_value());  // what is pending has none
}

TEST_CASE_FIXTURE(Fixture, "a name is found in every container that has it") {
  insert(*store, sample_record("x", folder_b));
  insert(*store, sample_record("x", device_a));
  insert(*store, sample_record("x", folder_a));
  insert(*store, sample_record("y", folder_a));
  const auto found = store->find_by_name_anywhere("x", everything, 10);
  REQUIRE(found.size() == 3);
  CHECK(found[0].container == device_a);
  CHECK(found[1].container == folder_a);
  CHECK(found[2].container == folder_b);
}

TEST_CASE_FIXTURE(Fixture, "lists are ordered, paged and counted") {
  for (const char* name : {"c", "a", "B", "e", "d"}) insert(*store, sample_record(name, folder_a));
  insert(*store, sample_record("b", folder_b));
  insert(*store, sample_record("a", device_a));

  Page page = store->list(everything, folder_a, 0, 100);
  CHECK(page.total == 5);
  CHECK(names_of(page.records) == Names{"B", "a", "c", "d", "e"});
  page = store->list(everything, folder_a, 1, 2);
  CHECK(page.total == 5);
  CHECK(names_of(page.records) == Names{"a", "c"});
  page = store->list(everything, folder_a, 4, 2);
  CHECK(names_of(page.records) == Names{"e"});
  page = store->list(everything, folder_a, 5, 2);
  CHECK(page.total == 5);
  CHECK(page.records.empty());
  page = store->list(everything, folder_a, 0, 0);
  CHECK(page.total == 5);
  CHECK(page.records.empty());

  constexpr std::size_t largest = std::numeric_limits<std::size_t>::max();
  page = store->list(everything, std::nullopt, 0, largest);
  CHECK(page.total == 7);
  CHECK(names_of(page.records) == Names{"B", "a", "a", "b", "c", "d", "e"});
  CHECK(page.records[1].container == device_a);
  CHECK(page.records[2].container == folder_a);
  CHECK(names_of(store->list(everything, std::nullopt, 2, 2).records) == Names{"a", "b"});
  CHECK(store->list(everything, std::nullopt, largest, largest).records.empty());
  CHECK(store->list(everything, Container{ContainerKind::device, "B"}, 0, 10).total == 0);
}

TEST_CASE_FIXTURE(Fixture, "a reader sees what was written after its last read") {
  // A statement that is not done would keep an old snapshot open.
  for (int i = 0; i < 10; ++i) {
    const CertificateRecord record = sample_record("name" + std::to_string(i));
    CHECK_FALSE(store->name_taken(record.container, record.name));
    insert(*store, record);
    CHECK(store->find(record.id).has_value());
    CHECK(store->name_taken(record.container, record.name));
    CHECK(store->find_by_name_anywhere(record.name, everything, 10).size() == 1);
    CHECK(store->list(everything, record.container, 0, 1).total == static_cast<std::size_t>(i) + 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "a deadline that has passed writes nothing") {
  const CertificateRecord record = sample_record("late");
  const auto past = hsmsigner::deadline_in(std::chrono::milliseconds(-1));
  CHECK((kind_of([&] { store->insert(record, past); }) == ErrorKind::session_timeout));
  CHECK_FALSE(store->find(record.id).has_value());
}
