// The command line and the server on one database file.
#include <doctest/doctest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <sstream>
#include <thread>

#include "sample_record.h"
#include "support/command.h"
#include "support/temporary_directory.h"

using namespace store_test;
using namespace std::chrono_literals;
using hsmsigner::ErrorKind;
using hsmsigner::UnixTime;
using hsmsigner::Uuid;

namespace {

struct Fixture {
  test_support::TemporaryDirectory directory;
  std::string path = directory.file("db");
  std::unique_ptr<Store> server = Store::open({.path = path, .readers = 2});
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a store that is open sees what another process writes, and the other way round") {
  CHECK(server->certificates().list(ContainerScope::everything(), std::nullopt, 0, 1).total == 0);
  test_support::BackgroundProcess writer({STORE_WRITER_PROCESS, path, "2"}, {}, directory.file("reported"));
  writer.wait_for_line("durable ", 30s);
  int seen = 0;
  std::istringstream lines(writer.output());
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("durable ") || lines.eof()) continue;
    CHECK(server->certificates().find(Uuid::parse(line.substr(8)).value()).has_value());
    ++seen;
  }
  CHECK(seen > 0);
  // Both write at the same time.
  for (int i = 0; i < 20; ++i) insert(*server, sample_record("of the server " + std::to_string(i)));
  writer.signal(SIGKILL);
  writer.wait(30s);
  const auto after = Store::open({.path = path, .readers = 1});
  for (int i = 0; i < 20; ++i) {
    CHECK(after->certificates().name_taken({ContainerKind::folder, "My"}, "of the server " + std::to_string(i)));
  }
}

TEST_CASE_FIXTURE(Fixture, "accounts, token keys, answers and marks of one program are at once the other's") {
  const auto command_line = Store::open({.path = path, .readers = 1});
  for (const bool server_writes : {true, false}) {
    Store* const writing = server_writes ? server.get() : command_line.get();
    Store* const reading = server_writes ? command_line.get() : server.get();
    const std::string id = server_writes ? "of the server" : "of the command line";
    CHECK_FALSE(reading->accounts().find(id).has_value());
    CHECK_FALSE(reading->answers().find(id, "key", UnixTime()).has_value());
    const std::size_t keys = reading->accounts().access_token_keys().size();
    const AnswerRecord answer = sample_answer(id, "key");
    writing->accounts().insert(sample_account(id), soon(), {.answer = &answer});
    CHECK(reading->accounts().find(id).has_value());
    CHECK(reading->answers().find(id, "key", UnixTime()).has_value());
    writing->accounts().update(
        id, [](AccountRecord& account) { account.enabled = true; }, soon());
    CHECK(reading->accounts().find(id)->enabled);
    writing->accounts().add_access_token_key({Uuid::random(), {1}, {3}, UnixTime(100s), std::nullopt}, soon());
    CHECK(reading->accounts().access_token_keys().size() == keys + 1);

    const CertificateRecord authority = sample_record("authority " + id);
    insert(*writing, authority);
    CertificateRecord child = sample_record("child " + id);
    child.issuer_id = authority.id;
    writing->certificates().mark_deleting(authority.id, UnixTime(), soon());
    CHECK((kind_of([&] { insert(*reading, child); }) == ErrorKind::invalid_object));
  }
}

TEST_CASE_FIXTURE(Fixture, "changes of one account by two programs are all counted") {
  constexpr int each = 40;
  const auto command_line = Store::open({.path = path, .readers = 1});
  AccountRecord account = sample_account("one");
  account.generation = 0;
  server->accounts().insert(account, soon());
  std::atomic<int> failures = 0;
  std::vector<std::thread> running;
  for (Store* store : {server.get(), command_line.get()}) {
    running.emplace_back([&failures, store] {
      for (int i = 0; i < each; ++i) {
        if (kind_of([&] {
              store->accounts().update(
                  "one", [](AccountRecord& changed) { ++changed.generation; }, soon());
            })) {
          ++failures;
        }
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  CHECK(failures == 0);
  CHECK(server->accounts().find("one")->generation == 2 * each);
}
