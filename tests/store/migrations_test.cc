#include "store/migrations.h"

#include <doctest/doctest.h>

#include "check_equal.h"
#include "store/certificate_rows.h"
#include "store/database.h"
#include "store/statements.h"
#include "store/store.h"
#include "support/temporary_directory.h"

using namespace hsmsigner::store;

namespace {

constexpr std::string_view one[] = {"CREATE TABLE one (x INTEGER)", "INSERT INTO one VALUES (1)"};
constexpr std::string_view two[] = {"CREATE TABLE two (x INTEGER)", "INSERT INTO two SELECT x FROM one"};
constexpr std::string_view two_broken[] = {"CREATE TABLE two (x INTEGER)", "INSERT INTO nowhere VALUES (1)"};
constexpr Migration good[] = {{1, one}, {2, two}};
constexpr Migration broken[] = {{1, one}, {2, two_broken}};

struct Fixture {
  test_support::TemporaryDirectory directory;
  std::string path = directory.file("db");
  std::unique_ptr<soci::session> session;

  Fixture() {
    prepare_database_file(path);
    session = connect(path);
    make_durable(*session);
  }
  long long version() const { return query_number(*session, "PRAGMA user_version"); }
  long long tables() const { return query_number(*session, "SELECT count(*) FROM sqlite_master WHERE type = 'table'"); }
};

}  // namespace

TEST_CASE("the migrations are numbered 1, 2, ... without gaps") {
  int expected = 1;
  for (const Migration& step : migrations()) CHECK(step.version == expected++);
}

TEST_CASE_FIXTURE(Fixture, "an empty file is brought forward, once") {
  CHECK(version() == 0);
  check_identity(*session);
  migrate(*session);
  CHECK(version() == migrations().back().version);
  CHECK(query_number(*session, "PRAGMA application_id") == application_id);
  check_identity(*session);
  migrate(*session);
  CHECK(query_number(*session, "SELECT count(*) FROM certificate") == 0);
}

TEST_CASE_FIXTURE(Fixture, "a database of version 2 keeps its certificates and takes what version 3 brings") {
  REQUIRE(migrations().size() >= 3);
  migrate(*session, migrations().first(2));
  CHECK(version() == 2);
  // As version 2 wrote them: without request_pem, and always with a key.
  store_test::CertificateRecord root = store_test::sample_record("root");
  store_test::CertificateRecord leaf = store_test::sample_record("leaf");
  root.request_pem = leaf.request_pem = "";
  leaf.issuer_id = root.id;
  for (const auto& record : {root, leaf}) {
    CertificateRow row = to_row(record);
    std::string columns, values;
    CertificateRow::for_each_column(row, [&](const std::string& name, auto&) {
      if (name == "request_pem") return;
      columns.append(columns.empty() ? "" : ", ").append(name);
      values.append(values.empty() ? ":" : ", :").append(name);
    });
    soci::statement insert(*session);
    CertificateRow::for_each_column(row, [&](const std::string& name, auto& value) {
      if (name != "request_pem") BindForUse{insert}(name.c_str(), value);
    });
    prepare(insert, "INSERT INTO certificate (" + columns + ") VALUES (" + values + ")");
    insert.execute(true);
  }
  session.reset();

  const auto store = Store::open({.path = path, .readers = 1});
  session = connect(path);
  CHECK(version() == migrations().back().version);
  for (const auto& expected : {root, leaf}) {
    const auto found = store->certificates().find(expected.id);
    REQUIRE(found.has_value());
    store_test::check_equal(*found, expected);
  }
  CHECK(store->certificates().find_by_fingerprint(root.container, root.fingerprint_sha256).has_value());
  using store_test::kind_of;
  CHECK((kind_of([&] { store->certificates().mark_deleting(root.id, leaf.not_after, store_test::soon()); }) ==
         hsmsigner::ErrorKind::reference_not_zero));
  store->certificates().mark_deleting(leaf.id, leaf.not_after, store_test::soon());
  store->certificates().erase(leaf.id, store_test::soon());
  store->certificates().mark_deleting(root.id, leaf.not_after, store_test::soon());
  store_test::insert(*store, store_test::pending_record("pending"));
  store->accounts().insert(store_test::sample_account("account"), store_test::soon());
  CHECK(store->accounts().list(0, 10).total == 1);
}

TEST_CASE_FIXTURE(Fixture, "only the missing steps are run") {
  migrate(*session, std::span(good).first(1));
  CHECK(version() == 1);
  *session << "UPDATE one SET x = 42";
  migrate(*session, good);
  CHECK(version() == 2);
  CHECK(query_number(*session, "SELECT x FROM two") == 42);
}

TEST_CASE_FIXTURE(Fixture, "a step that fails leaves nothing of itself and can be run again") {
  CHECK_THROWS_AS(migrate(*session, broken), soci::soci_error);
  CHECK(version() == 1);
  CHECK(tables() == 1);
  migrate(*session, good);
  CHECK(version() == 2);
  CHECK(query_number(*session, "SELECT x FROM two") == 1);
}

TEST_CASE_FIXTURE(Fixture, "a step that was cut off before its commit leaves nothing of itself") {
  *session << "BEGIN IMMEDIATE";
  *session << std::string(one[0]);
  *session << "PRAGMA application_id = " << application_id;
  *session << "PRAGMA user_version = 1";
  session = connect(path);  // the old connection is dropped in the middle
  CHECK(version() == 0);
  CHECK(tables() == 0);
  check_identity(*session, good);
  migrate(*session, good);
  CHECK(version() == 2);
}

TEST_CASE_FIXTURE(Fixture, "the lists and look-ups are served by indexes") {
  migrate(*session);
  struct Case {
    const char* query;
    const char* index;
  };
  for (const Case& c :
       {Case{"certificate WHERE id = :a", "sqlite_autoindex_certificate_1"},
        Case{"certificate WHERE container_kind = :a AND container_name = :b AND name = :c",
             "sqlite_autoindex_certificate_2"},
        Case{"certificate WHERE container_kind = :a AND container_name = :b AND name >= :c ORDER BY name LIMIT :n "
             "OFFSET :m",
             "sqlite_autoindex_certificate_2"},
        Case{"certificate WHERE container_kind = :a AND container_name = :b AND name >= :c AND name < :d",
             "sqlite_autoindex_certificate_2"},
        Case{"certificate WHERE (name, container_kind, container_name) >= (:a, :b, :c) ORDER BY name, container_kind, "
             "container_name, id LIMIT :n OFFSET :m",
             "certificate_by_name ("},
        Case{"certificate_section WHERE scope_kind = :a AND scope_name = :b ORDER BY name, container_kind, "
             "container_name LIMIT :n OFFSET :m",
             "PRIMARY KEY (scope_kind=? AND scope_name=?)"},
        Case{"certificate_section WHERE scope_kind = :a AND scope_name = :b AND (name, container_kind, "
             "container_name) <= (:c, :d, :e) ORDER BY name DESC, container_kind DESC, container_name DESC LIMIT 1",
             "PRIMARY KEY (scope_kind=? AND scope_name=? AND (name,container_kind,container_name)<(?,?,?))"},
        Case{"certificate_section WHERE (scope_kind, scope_name, name, container_kind, container_name) = "
             "(:a, :b, :c, :d, :e)",
             "PRIMARY KEY (scope_kind=? AND scope_name=? AND name=? AND container_kind=? AND container_name=?)"},
        Case{"certificate WHERE name = :a ORDER BY certificate_authority DESC, container_kind, container_name",
             "certificate_by_name_authorities_first"},
        Case{"certificate WHERE fingerprint_sha256 = :a AND fingerprint_sha256 <> '' AND container_kind = :b AND "
             "container_name = :c ORDER BY name",
             "certificate_by_fingerprint"},
        Case{"certificate WHERE issuer_id = :a AND id <> :b AND certificate_pem <> '' AND not_after >= :n",
             "certificate_by_issuer_and_end"},
        Case{"account WHERE certificate_fingerprint = :a AND certificate_fingerprint <> ''", "account_by_fingerprint"},
        Case{"account WHERE certificate_subject = :a AND certificate_subject <> '' ORDER BY created_at, client_id",
             "account_by_subject"},
        Case{"account ORDER BY client_id", "sqlite_autoindex_account_1"},
        Case{"answer WHERE client_id = :a AND key_hash = :b", "sqlite_autoindex_answer_1"},
        Case{"answer WHERE created_at < :t ORDER BY created_at", "answer_by_age"}}) {
    CAPTURE(c.query);
    // The parameters stay unbound, so that the planner knows as little of their values as in the program.
    soci::row row;
    soci::statement plan =
        (session->prepare << std::string("EXPLAIN QUERY PLAN SELECT * FROM ") + c.query, soci::into(row));
    int steps = 0;
    for (bool more = plan.execute(true); more; more = plan.fetch()) {
      ++steps;
      CHECK(row.get<std::string>(3).find(c.index) != std::string::npos);
    }
    CHECK(steps == 1);  // no "USE TEMP B-TREE FOR ORDER BY"
  }
}
