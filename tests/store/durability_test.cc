#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <sstream>
#include <thread>

#include "sample_record.h"
#include "store/database.h"
#include "support/command.h"
#include "support/temporary_directory.h"

using namespace store_test;
using namespace std::chrono_literals;
using hsmsigner::ErrorKind;
using hsmsigner::Uuid;

TEST_CASE("what was reported before SIGKILL is there afterwards") {
  const test_support::TemporaryDirectory directory;
  const std::string path = directory.file("db");
  const std::string durable = "durable ";
  std::size_t reported = 0;
  for (int round = 0; round < 5; ++round) {
    test_support::BackgroundProcess writer({STORE_WRITER_PROCESS, path, "4"}, {},
                                           directory.file("reported" + std::to_string(round)));
    writer.wait_for_line(durable, 30s);
    std::this_thread::sleep_for(150ms);
    writer.signal(SIGKILL);
    CHECK(writer.wait(30s) == 128 + SIGKILL);

    const auto store = Store::open({.path = path});
    std::istringstream lines(writer.output());
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(durable) || lines.eof()) continue;  // a log line, or cut off
      const auto id = Uuid::parse(line.substr(durable.size()));
      REQUIRE(id.has_value());
      CHECK(store->certificates().find(*id).has_value());
      ++reported;
    }
    CHECK(store->certificates().list(ContainerScope::everything(), std::nullopt, 0, 0).total >= reported);
  }
  CHECK(reported > 5);
  const auto session = hsmsigner::store::connect(path);
  std::string verdict;
  *session << "PRAGMA integrity_check", soci::into(verdict);
  CHECK(verdict == "ok");
}

TEST_CASE("a database that another connection has locked is an error in bounded time") {
  const test_support::TemporaryDirectory directory;
  const std::string path = directory.file("db");
  const auto store = Store::open({.path = path});
  const CertificateRecord present = sample_record("present");
  insert(*store, present);
  const auto other = hsmsigner::store::connect(path);
  *other << "BEGIN EXCLUSIVE";

  const CertificateRecord patient = sample_record("patient");
  const auto begin = std::chrono::steady_clock::now();
  CHECK((kind_of([&] { store->certificates().insert(patient, hsmsigner::deadline_in(20s)); }) ==
         ErrorKind::journal_unavailable));
  CHECK((std::chrono::steady_clock::now() - begin < 10s));

  const CertificateRecord hasty = sample_record("hasty");
  CHECK((kind_of([&] { store->certificates().insert(hasty, hsmsigner::deadline_in(50ms)); }) ==
         ErrorKind::journal_unavailable));
  CHECK(store->certificates().find(present.id).has_value());  // readers go on

  *other << "ROLLBACK";
  CHECK_FALSE(store->certificates().find(patient.id).has_value());
  CHECK_FALSE(store->certificates().find(hasty.id).has_value());
  insert(*store, sample_record("after"));
  CHECK(store->certificates().list(ContainerScope::everything(), std::nullopt, 0, 0).total == 2);
}
