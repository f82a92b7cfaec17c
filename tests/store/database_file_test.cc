#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "sample_record.h"
#include "store/database.h"
#include "support/command.h"
#include "support/temporary_directory.h"

using namespace store_test;
using hsmsigner::ErrorKind;
using hsmsigner::store::query_number;
namespace fs = std::filesystem;

namespace {

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

// Opening is refused with a sentence for the operator, which does not name the path.
void check_refused(const std::string& path, const std::string& sentence) {
  const auto error = error_of([&] { Store::open({.path = path}); });
  REQUIRE(error.has_value());
  CHECK(error->kind() == ErrorKind::internal_error);
  REQUIRE(error->details().size() == 1);
  CHECK(error->details()[0] == sentence);
}

}  // namespace

TEST_CASE("the database and its journal are for the owner alone") {
  const test_support::TemporaryDirectory directory;
  const ::mode_t before = ::umask(0);
  const auto store = Store::open({.path = directory.file("db")});
  insert(*store, sample_record("name"));
  ::umask(before);
  for (const char* name : {"db", "db-wal", "db-shm"}) CHECK(mode_of(directory.file(name)) == 0600);
}

TEST_CASE("a connection is in WAL mode with synchronous=FULL and foreign keys") {
  const test_support::TemporaryDirectory directory;
  const std::string path = directory.file("db");
  hsmsigner::store::prepare_database_file(path);
  const auto session = hsmsigner::store::open_connection(path, hsmsigner::store::Access::read_only);
  std::string mode;
  *session << "PRAGMA journal_mode", soci::into(mode);
  CHECK(mode == "wal");
  CHECK(query_number(*session, "PRAGMA synchronous") == 2);
  CHECK(query_number(*session, "PRAGMA foreign_keys") == 1);
  CHECK(query_number(*session, "PRAGMA busy_timeout") == 5000);
  CHECK_THROWS_AS(*session << "CREATE TABLE t (x)", soci::soci_error);
}

TEST_CASE("a file name may hold what SOCI's connection string gives a meaning to") {
  const test_support::TemporaryDirectory directory;
  for (const char* name : {"a b c.db", "a=b timeout=0.db", "file:x?mode=memory", "'; --", ":memory:"}) {
    CAPTURE(name);
    const std::string path = directory.file(name);
    const CertificateRecord record = sample_record("name");
    insert(*Store::open({.path = path}), record);
    CHECK(fs::file_size(path) > 0);
    CHECK(Store::open({.path = path})->certificates().find(record.id).has_value());
  }
  check_refused(directory.file("a\"b"), "The database file's name must not contain a quotation mark.");
  check_refused("", "No database file is named.");
}

TEST_CASE("a place that cannot be written is refused") {
  const test_support::TemporaryDirectory directory;
  const std::string sentence = "The database file cannot be made in its directory.";
  check_refused(directory.file("missing/db"), sentence);
  check_refused("/proc/hsm-signer.db", sentence);
  check_refused(directory.path().string(), "The database is not a regular file.");
  if (::geteuid() != 0) {  // root writes everywhere
    fs::create_directory(directory.path() / "closed");
    fs::permissions(directory.path() / "closed", fs::perms::owner_read | fs::perms::owner_exec);
    check_refused(directory.file("closed/db"), sentence);
    const std::string path = directory.write("read-only", "");
    fs::permissions(path, fs::perms::owner_read);
    check_refused(path, "The database file cannot be written.");
  }
}

TEST_CASE("a file that every user may write is refused") {
  const test_support::TemporaryDirectory directory;
  const std::string path = directory.write("db", "");
  REQUIRE(::chmod(path.c_str(), 0666) == 0);
  check_refused(path, "The database file may be written by every user of this machine; it is not trusted.");
}

TEST_CASE("a file that is no database is refused and left as it was") {
  const test_support::TemporaryDirectory directory;
  for (const std::string& content : {std::string("xy"), std::string(100, 'y'), std::string(20000, 'z')}) {
    const std::string path = directory.write("db", content);
    check_refused(path, "The database file is not a database.");
    CHECK(test_support::read_file(path) == content);
  }
}

TEST_CASE("another application's database is refused and left as it was") {
  const test_support::TemporaryDirectory directory;
  const std::string sentence = "The database file belongs to another application.";
  for (const char* statement : {"PRAGMA application_id = 7", "PRAGMA user_version = 1", "CREATE TABLE theirs (x)"}) {
    CAPTURE(statement);
    const std::string path = directory.file("db");
    {
      soci::session theirs("sqlite3", "dbname=" + path);
      theirs << statement;
    }
    const std::string before = test_support::read_file(path);
    check_refused(path, sentence);
    CHECK(test_support::read_file(path) == before);
    fs::remove(path);
  }
}

TEST_CASE("a newer version's database is refused") {
  const test_support::TemporaryDirectory directory;
  const std::string path = directory.file("db");
  Store::open({.path = path});
  {
    const auto session = hsmsigner::store::connect(path);
    *session << "PRAGMA user_version = 1000";
  }
  check_refused(path, "The database was written by a newer version of this program.");
}
