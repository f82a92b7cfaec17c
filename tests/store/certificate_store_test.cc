#include "store/certificate_store.h"

#include <doctest/doctest.h>

#include <limits>

#include "sample_record.h"
#include "support/temporary_directory.h"

using namespace store_test;
using hsmsigner::ErrorKind;
using hsmsigner::Uuid;
using hsmsigner::store::container_kind_from;
using hsmsigner::store::Page;

namespace {

struct Fixture {
  test_support::TemporaryDirectory directory;
  std::unique_ptr<CertificateStore> store = open();

  std::unique_ptr<CertificateStore> open() const {
    return CertificateStore::open({.path = directory.file("certificates.db"), .readers = 2});
  }
};

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
  CHECK(a.serial_number == b.serial_number);
  CHECK(a.fingerprint_sha256 == b.fingerprint_sha256);
  CHECK((a.issuer_id == b.issuer_id));
  CHECK(a.signed_by == b.signed_by);
  CHECK(a.digest == b.digest);
  CHECK(a.alternative_names == b.alternative_names);
  CHECK(a.warnings == b.warnings);
  CHECK(a.key.token_label == b.key.token_label);
  CHECK(a.key.token_serial == b.key.token_serial);
  CHECK(a.key.id == b.key.id);
  CHECK(a.key.type == b.key.type);
  CHECK(a.key.bits == b.key.bits);
  CHECK(a.key.sensitive == b.key.sensitive);
  CHECK(a.key.always_sensitive == b.key.always_sensitive);
  CHECK(a.key.extractable == b.key.extractable);
  CHECK(a.key.never_extractable == b.key.never_extractable);
  CHECK(a.key.local == b.key.local);
  CHECK((a.created_at == b.created_at));
}

std::vector<std::string> names_of(const std::vector<CertificateRecord>& records) {
  std::vector<std::string> names;
  for (const CertificateRecord& record : records) names.push_back(record.name);
  return names;
}

using Names = std::vector<std::string>;

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
  leaf.key.always_sensitive = leaf.key.never_extractable = true;
  leaf.key.sensitive = leaf.key.extractable = leaf.key.local = false;
  leaf.alternative_names.clear();
  leaf.warnings = {""};
  leaf.subject = "/CN=\xC3\xA4\xF0\x9F\x94\x91";
  leaf.common_name = "";
  leaf.not_before = hsmsigner::UnixTime(std::chrono::seconds(-1));
  insert(*store, root);
  insert(*store, leaf);

  for (int round = 0; round < 2; ++round) {
    for (const CertificateRecord& expected : {root, leaf}) {
      const auto found = store->find(expected.id);
      REQUIRE(found.has_value());
      check_equal(*found, expected);
      const auto by_name = store->find_by_name(expected.container, expected.name);
      REQUIRE(by_name.has_value());
      check_equal(*by_name, expected);
    }
    store.reset();
    store = open();
  }
}

TEST_CASE_FIXTURE(Fixture, "what is not there is nothing, not an error") {
  CHECK_FALSE(store->find(Uuid::random()).has_value());
  CHECK_FALSE(store->find_by_name(folder_a, "x").has_value());
  CHECK_FALSE(store->name_taken(folder_a, "x"));
  CHECK(store->find_by_name_anywhere("x", 10).empty());
  CHECK(store->list(std::nullopt, 0, 10).total == 0);
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

  CertificateRecord orphan = sample_record("third");
  orphan.issuer_id = Uuid::random();
  CHECK((kind_of([&] { insert(*store, orphan); }) == ErrorKind::internal_error));
  CHECK(store->list(std::nullopt, 0, 10).total == 1);
}

TEST_CASE_FIXTURE(Fixture, "a database's error says nothing of the values, in no field") {
  CertificateRecord orphan = sample_record("a-name-to-look-for");
  orphan.issuer_id = Uuid::random();
  const auto error = error_of([&] { insert(*store, orphan); });
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

TEST_CASE_FIXTURE(Fixture, "a name is found in every container that has it") {
  insert(*store, sample_record("x", folder_b));
  insert(*store, sample_record("x", device_a));
  insert(*store, sample_record("x", folder_a));
  insert(*store, sample_record("y", folder_a));
  const auto found = store->find_by_name_anywhere("x", 10);
  REQUIRE(found.size() == 3);
  CHECK(found[0].container == device_a);
  CHECK(found[1].container == folder_a);
  CHECK(found[2].container == folder_b);
}

TEST_CASE_FIXTURE(Fixture, "lists are ordered, paged and counted") {
  for (const char* name : {"c", "a", "B", "e", "d"}) insert(*store, sample_record(name, folder_a));
  insert(*store, sample_record("b", folder_b));
  insert(*store, sample_record("a", device_a));

  Page page = store->list(folder_a, 0, 100);
  CHECK(page.total == 5);
  CHECK(names_of(page.records) == Names{"B", "a", "c", "d", "e"});
  page = store->list(folder_a, 1, 2);
  CHECK(page.total == 5);
  CHECK(names_of(page.records) == Names{"a", "c"});
  page = store->list(folder_a, 4, 2);
  CHECK(names_of(page.records) == Names{"e"});
  page = store->list(folder_a, 5, 2);
  CHECK(page.total == 5);
  CHECK(page.records.empty());
  page = store->list(folder_a, 0, 0);
  CHECK(page.total == 5);
  CHECK(page.records.empty());

  constexpr std::size_t largest = std::numeric_limits<std::size_t>::max();
  page = store->list(std::nullopt, 0, largest);
  CHECK(page.total == 7);
  CHECK(names_of(page.records) == Names{"B", "a", "a", "b", "c", "d", "e"});
  CHECK(page.records[1].container == device_a);
  CHECK(page.records[2].container == folder_a);
  CHECK(names_of(store->list(std::nullopt, 2, 2).records) == Names{"a", "b"});
  CHECK(store->list(std::nullopt, largest, largest).records.empty());
  CHECK(store->list(Container{ContainerKind::device, "B"}, 0, 10).total == 0);
}

TEST_CASE_FIXTURE(Fixture, "a reader sees what was written after its last read") {
  // A statement that is not done would keep an old snapshot open.
  for (int i = 0; i < 10; ++i) {
    const CertificateRecord record = sample_record("name" + std::to_string(i));
    CHECK_FALSE(store->name_taken(record.container, record.name));
    insert(*store, record);
    CHECK(store->find(record.id).has_value());
    CHECK(store->name_taken(record.container, record.name));
    CHECK(store->find_by_name_anywhere(record.name, 10).size() == 1);
    CHECK(store->list(record.container, 0, 1).total == static_cast<std::size_t>(i) + 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "a deadline that has passed writes nothing") {
  const CertificateRecord record = sample_record("late");
  const auto past = hsmsigner::deadline_in(std::chrono::milliseconds(-1));
  CHECK((kind_of([&] { store->insert(record, past); }) == ErrorKind::session_timeout));
  CHECK_FALSE(store->find(record.id).has_value());
}
