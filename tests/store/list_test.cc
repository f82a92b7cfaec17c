// Lists at any offset, against a naive reference: what is in the store, sorted.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <tuple>

#include "sample_record.h"
#include "store/certificate_rows.h"
#include "store/database.h"
#include "store/statements.h"
#include "support/temporary_directory.h"

using namespace store_test;
using hsmsigner::store::CertificateRow;
using hsmsigner::store::Page;
using hsmsigner::store::query_number;
using hsmsigner::store::to_row;

namespace {

const Container folder_a{ContainerKind::folder, "A"};
const Container folder_b{ContainerKind::folder, "B"};
const Container device_a{ContainerKind::device, "A"};
const Container empty{ContainerKind::snippet, "empty"};
const std::vector<Container> filled = {folder_a, folder_b, device_a};

// As a list is ordered: name, kind, container.
using Key = std::tuple<std::string, std::string, std::string>;

Key key_of(const CertificateRecord& record) {
  return {record.name, to_string(record.container.kind), record.container.name};
}

struct Fixture {
  test_support::TemporaryDirectory directory;
  std::string path = directory.file("db");
  std::unique_ptr<Store> opened = Store::open({.path = path, .readers = 2});
  // Beside the store, so that thousands of changes need not be as many commits.
  std::unique_ptr<soci::session> session = hsmsigner::store::connect(path);
  std::mt19937_64 random{20240531};
  std::set<Key> reference;

  CertificateStore& store() { return opened->certificates(); }

  std::string random_name() {
    // Short ones come often, in several containers; some sort after all ASCII.
    static const std::vector<std::string> beginnings = {"", "a", "B", "zz ", "\xc3\xa4", "\xe2\x82\xac"};
    return beginnings[random() % beginnings.size()] + std::to_string(random() % 20000);
  }

  void add(std::size_t count) {
    *session << "BEGIN IMMEDIATE";
    hsmsigner::store::InsertRow<CertificateRow> insert_row(*session);
    while (count > 0) {
      // Uneven: A has most of them.
      const Container& container = filled[random() % 10 < 8 ? 0 : 1 + random() % 2];
      const CertificateRecord record = sample_record(random_name(), container);
      if (!reference.insert(key_of(record)).second) continue;
      insert_row(to_row(record));
      --count;
    }
    *session << "COMMIT";
  }

  void remove(const Key& key) {
    hsmsigner::store::Command erase(
        *session,
        "DELETE FROM certificate WHERE name = :name AND container_kind = :kind AND container_name = :container", 3, 0);
    CHECK(erase({std::get<0>(key), std::get<1>(key), std::get<2>(key)}) == 1);
    reference.erase(key);
  }
  void remove_some(std::size_t count) {
    *session << "BEGIN IMMEDIATE";
    while (count-- > 0 && !reference.empty()) {
      auto chosen = reference.begin();
      std::advance(chosen, static_cast<std::ptrdiff_t>(random() % reference.size()));
      remove(Key(*chosen));
    }
    *session << "COMMIT";
  }

  std::vector<Key> keys_in(const ContainerScope& scope, const std::optional<Container>& container) const {
    std::vector<Key> keys;
    for (const Key& key : reference) {
      const Container place{*hsmsigner::container_kind_from(std::get<1>(key)), std::get<2>(key)};
      if (scope.contains(place) && (!container || *container == place)) keys.push_back(key);
    }
    return keys;
  }

  void check_page(const ContainerScope& scope, const std::optional<Container>& container, std::size_t offset,
                  std::size_t limit) {
    CAPTURE(offset);
    CAPTURE(limit);
    const std::vector<Key> all = keys_in(scope, container);
    const Page page = store().list(scope, container, offset, limit);
    REQUIRE(page.total == all.size());
    const std::size_t begin = std::min(offset, all.size());
    const std::size_t count = std::min(limit, all.size() - begin);
    REQUIRE(page.records.size() == count);
    bool same = true;
    for (std::size_t i = 0; i < count; ++i) same = same && key_of(page.records[i]) == all[begin + i];
    CHECK(same);
  }

  void check_lists() {
    struct List {
      ContainerScope scope;
      std::optional<Container> container;
    };
    const ContainerScope everything = ContainerScope::everything();
    for (const List& list :
         {List{everything, std::nullopt}, List{everything, folder_a}, List{everything, device_a},
          List{everything, empty}, List{{false, {folder_b}}, std::nullopt},
          List{{false, {folder_b, folder_a}}, std::nullopt}, List{{false, {device_a, empty, folder_b}}, std::nullopt},
          List{{false, {folder_a, device_a, folder_b, empty}}, std::nullopt}}) {
      CAPTURE(list.scope.all);
      CAPTURE(list.scope.containers.size());
      const std::size_t total = keys_in(list.scope, list.container).size();
      for (const std::size_t offset :
           {std::size_t{0}, std::size_t{1}, total / 2, total - std::min<std::size_t>(total, 7), total, total + 1,
            std::numeric_limits<std::size_t>::max()}) {
        check_page(list.scope, list.container, offset, 5);
      }
      for (int i = 0; i < 6; ++i) check_page(list.scope, list.container, random() % (total + 1), 1 + random() % 60);
      check_page(list.scope, list.container, 0, std::numeric_limits<std::size_t>::max());
    }
  }

  long long number(const std::string& query) { return query_number(*session, query); }

  // What the triggers promise.
  void check_sections() {
    const std::string sections =
        "(SELECT scope_kind, scope_name, sum(certificates) AS n FROM certificate_section "
        "GROUP BY scope_kind, scope_name)";
    CHECK(number("SELECT coalesce(max(certificates), 0) FROM certificate_section") <= 1024);
    CHECK(number("SELECT count(*) FROM certificate_section WHERE certificates = 0") == 0);
    CHECK(number("SELECT coalesce(sum(n), 0) FROM " + sections + " WHERE scope_kind = ''") ==
          static_cast<long long>(reference.size()));
    CHECK(number("SELECT count(*) FROM (SELECT container_kind, container_name, count(*) FROM certificate GROUP BY "
                 "container_kind, container_name EXCEPT SELECT * FROM " +
                 sections + ")") == 0);
    // No crowd of short ones: two neighbours have more than 512 together, or a first one is short.
    const auto size = static_cast<long long>(reference.size());
    CHECK(number("SELECT count(*) FROM certificate_section WHERE scope_kind = ''") <= 2 + size / 128);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "lists are right at every offset while thousands come and go") {
  check_lists();
  for (const std::size_t count : {5UL, 900UL, 2500UL, 1500UL}) {
    add(count);
    check_sections();
    check_lists();
  }
  CHECK(number("SELECT count(*) FROM certificate_section WHERE scope_kind = ''") > 4);
  for (const std::size_t count : {1000UL, 2500UL, 1300UL}) {
    remove_some(count);
    check_sections();
    check_lists();
    add(100);
    check_lists();
  }
  remove_some(std::numeric_limits<std::size_t>::max());
  check_lists();
  CHECK(number("SELECT count(*) FROM certificate_section") == 0);
}

TEST_CASE_FIXTURE(Fixture, "names that come in order, and go from the front, leave no crowd of sections") {
  *session << "BEGIN IMMEDIATE";
  {
    hsmsigner::store::InsertRow<CertificateRow> insert_row(*session);
    for (int i = 0; i < 5000; ++i) {
      const CertificateRecord record = sample_record(std::to_string(100000 + i), folder_a);
      insert_row(to_row(record));
      reference.insert(key_of(record));
    }
  }
  *session << "COMMIT";
  check_sections();
  check_lists();
  while (reference.size() > 1200) {
    *session << "BEGIN IMMEDIATE";
    for (int i = 0; i < 600; ++i) remove(Key(*reference.begin()));
    *session << "COMMIT";
    check_sections();
  }
  check_lists();
  while (!reference.empty()) remove(Key(*reference.rbegin()));
  check_sections();
  check_lists();
}

TEST_CASE_FIXTURE(Fixture, "what was undone is not counted") {
  add(1500);
  const CertificateRecord first = sample_record("first", folder_b);
  insert(store(), first);
  reference.insert(key_of(first));
  // The writer undoes one operation by its savepoint.
  CHECK((kind_of([&] { insert(store(), sample_record("first", folder_b)); }) == hsmsigner::ErrorKind::name_not_unique));
  CertificateRecord same = sample_record("another name", folder_b);
  same.fingerprint_sha256 = first.fingerprint_sha256;
  CHECK((kind_of([&] { insert(store(), same); }) == hsmsigner::ErrorKind::object_not_unique));
  check_sections();
  check_lists();
  // A whole transaction, with a split in it.
  const std::set<Key> before = reference;
  *session << "BEGIN IMMEDIATE";
  {
    hsmsigner::store::InsertRow<CertificateRow> insert_row(*session);
    for (int i = 0; i < 1100; ++i) insert_row(to_row(sample_record("undone " + std::to_string(i), folder_a)));
  }
  *session << "ROLLBACK";
  check_sections();
  check_lists();
  store().erase(first.id, soon());
  reference.erase(key_of(first));
  store().erase(first.id, soon());  // nothing happens
  check_sections();
  check_lists();
}

TEST_CASE_FIXTURE(Fixture, "a certificate that is completed is counted as before, and cannot move") {
  CertificateRecord record = pending_record("request", folder_a);
  insert(store(), record);
  reference.insert(key_of(record));
  record.certificate_pem = "a certificate";
  record.fingerprint_sha256 = "AA:BB";
  store().complete(record, soon());
  check_sections();
  check_lists();
  CHECK_THROWS_AS(*session << "UPDATE certificate SET name = 'another'", soci::soci_error);
  CHECK_THROWS_AS(*session << "UPDATE certificate SET container_name = 'another'", soci::soci_error);
  check_lists();
}

TEST_CASE_FIXTURE(Fixture, "a database of before the sections lists as before") {
  add(3000);
  opened.reset();
  // As version 4 left it.
  for (const char* trigger :
       {"certificate_inserted", "certificate_deleted", "certificate_stays", "certificate_section_split",
        "certificate_section_of_container_split", "certificate_section_joined"}) {
    *session << std::string("DROP TRIGGER ") + trigger;
  }
  for (const char* table : {"certificate_section", "pool_key", "pool_lease", "planned_key"}) {
    *session << std::string("DROP TABLE ") + table;
  }
  *session << "PRAGMA user_version = 4";
  opened = Store::open({.path = path, .readers = 2});
  check_sections();
  check_lists();
  CHECK(number("SELECT count(*) FROM certificate_section WHERE scope_kind = ''") == 6);
  add(1000);
  remove_some(2000);
  check_sections();
  check_lists();
}
