#include "store/migrations.h"

#include <doctest/doctest.h>

#include "sample_record.h"
#include "store/database.h"
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
    const char* clauses;
    const char* index;
  };
  for (const Case& c :
       {Case{"WHERE id = 'x'", "sqlite_autoindex_certificate_1"},
        Case{"WHERE container_kind = 'a' AND container_name = 'b' AND name = 'c'", "sqlite_autoindex_certificate_2"},
        Case{"WHERE container_kind = 'a' AND container_name = 'b' ORDER BY name", "sqlite_autoindex_certificate_2"},
        Case{"WHERE name = 'x' ORDER BY name, container_kind, container_name, id", "certificate_by_name"},
        Case{"ORDER BY name, container_kind, container_name, id", "certificate_by_name"}}) {
    CAPTURE(c.clauses);
    soci::row row;
    soci::statement plan =
        (session->prepare << "EXPLAIN QUERY PLAN SELECT * FROM certificate " << c.clauses, soci::into(row));
    int steps = 0;
    for (bool more = plan.execute(true); more; more = plan.fetch()) {
      ++steps;
      CHECK(row.get<std::string>(3).find(c.index) != std::string::npos);
    }
    CHECK(steps == 1);  // no "USE TEMP B-TREE FOR ORDER BY"
  }
}
