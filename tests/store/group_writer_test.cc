#include "store/group_writer.h"

#include <doctest/doctest.h>

#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include "sample_record.h"
#include "store/database.h"
#include "support/temporary_directory.h"

using namespace store_test;
using namespace std::chrono_literals;
using namespace hsmsigner::store;
using hsmsigner::Error;
using hsmsigner::ErrorKind;

namespace {

struct Fixture {
  test_support::TemporaryDirectory directory;
  std::string path = directory.file("db");
  std::unique_ptr<soci::session> session;

  Fixture() {
    prepare_database_file(path);
    session = open_connection(path, Access::read_write);
    *session << "CREATE TABLE number (value INTEGER PRIMARY KEY)";
    *session << "CREATE TABLE parent (id INTEGER PRIMARY KEY)";
    *session << "CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)";
  }

  GroupWriter::Operation add(int value) {
    return [this, value] { *session << "INSERT INTO number VALUES (" << value << ")"; };
  }
  long long count() const {
    return query_number(*open_connection(path, Access::read_only), "SELECT count(*) FROM number");
  }
};

void wait_until_waiting(const GroupWriter& writer, std::size_t number) {
  while (writer.waiting() != number) std::this_thread::sleep_for(1ms);
}

// Holds the writer inside an operation until let go.
struct Held {
  explicit Held(GroupWriter& writer)
      : thread([this, &writer] {
          writer.run(
              [this] {
                started.set_value();
                released.get_future().wait();
              },
              soon());
        }) {
    started.get_future().wait();
  }
  void release() {
    released.set_value();
    thread.join();
  }
  std::promise<void> started, released;
  std::thread thread;
};

// run() on a thread of its own; the future holds the kind of error, or nothing.
std::future<std::optional<ErrorKind>> run(GroupWriter& writer, GroupWriter::Operation operation,
                                          hsmsigner::Deadline deadline = soon()) {
  return std::async(std::launch::async, [&writer, operation = std::move(operation), deadline] {
    return kind_of([&] { writer.run(operation, deadline); });
  });
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "what gathers while the writer is busy is one commit") {
  GroupWriter writer(*session);
  Held held(writer);
  std::vector<std::future<std::optional<ErrorKind>>> results;
  for (int i = 0; i < 20; ++i) results.push_back(run(writer, add(i)));
  wait_until_waiting(writer, 20);
  CHECK(writer.commits() == 0);
  held.release();
  for (auto& result : results) CHECK_FALSE(result.get().has_value());
  CHECK(writer.commits() == 2);  // the held one, then the twenty
  CHECK(writer.writes() == 21);
  CHECK(count() == 20);
}

TEST_CASE_FIXTURE(Fixture, "one that is alone is committed alone, at once") {
  GroupWriter writer(*session);
  for (int i = 0; i < 5; ++i) writer.run(add(i), soon());
  CHECK(writer.commits() == 5);
}

TEST_CASE_FIXTURE(Fixture, "a batch is bounded") {
  GroupWriter writer(*session, {.queue = 100, .batch = 4});
  Held held(writer);
  std::vector<std::future<std::optional<ErrorKind>>> results;
  for (int i = 0; i < 10; ++i) results.push_back(run(writer, add(i)));
  wait_until_waiting(writer, 10);
  held.release();
  for (auto& result : results) CHECK_FALSE(result.get().has_value());
  CHECK(writer.commits() == 1 + 3);
}

TEST_CASE_FIXTURE(Fixture, "one that fails undoes itself and nobody else") {
  GroupWriter writer(*session);
  Held held(writer);
  auto first = run(writer, add(1));
  wait_until_waiting(writer, 1);
  auto duplicate = run(writer, add(1));
  wait_until_waiting(writer, 2);
  auto half_done = run(writer, [this] {
    add(2)();
    throw std::runtime_error("stop");
  });
  wait_until_waiting(writer, 3);
  auto with_error = run(writer, [this] {
    add(3)();
    throw Error(ErrorKind::name_not_unique);
  });
  wait_until_waiting(writer, 4);
  auto last = run(writer, add(4));
  wait_until_waiting(writer, 5);
  held.release();
  CHECK_FALSE(first.get().has_value());
  CHECK((duplicate.get() == ErrorKind::internal_error));
  CHECK((half_done.get() == ErrorKind::internal_error));
  CHECK((with_error.get() == ErrorKind::name_not_unique));
  CHECK_FALSE(last.get().has_value());
  CHECK(count() == 2);
  CHECK(writer.writes() == 3);  // the held one, the first and the last
}

TEST_CASE_FIXTURE(Fixture, "when the commit fails, everyone fails and nothing is written") {
  GroupWriter writer(*session);
  Held held(writer);
  auto good = run(writer, add(1));
  wait_until_waiting(writer, 1);
  // A deferred constraint breaks at COMMIT, not before.
  auto bad = run(writer, [this] { *session << "INSERT INTO child VALUES (7)"; });
  wait_until_waiting(writer, 2);
  auto own_answer = run(writer, [] { throw Error(ErrorKind::name_not_unique); });
  wait_until_waiting(writer, 3);
  held.release();
  CHECK((good.get() == ErrorKind::internal_error));
  CHECK((bad.get() == ErrorKind::internal_error));
  CHECK((own_answer.get() == ErrorKind::internal_error));
  CHECK(count() == 0);

  writer.run(add(2), soon());  // and it goes on
  CHECK(count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "when SQLite loses the transaction, the batch fails and the writer goes on") {
  GroupWriter writer(*session);
  CHECK((kind_of([&] {
           writer.run(
               [this] {
                 add(1)();
                 *session << "ROLLBACK";  // as SQLite does by itself when the disk is full
                 throw std::runtime_error("disk full");
               },
               soon());
         }) == ErrorKind::journal_unavailable));
  writer.run(add(2), soon());
  CHECK(count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "one whose deadline passes in the queue is never written") {
  GroupWriter writer(*session);
  Held held(writer);
  auto late = run(writer, add(1), hsmsigner::deadline_in(20ms));
  CHECK((late.get() == ErrorKind::journal_unavailable));  // answered while the writer is still busy
  CHECK(writer.waiting() == 0);
  held.release();
  writer.run(add(2), soon());
  CHECK(count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "one that has been started gets its true outcome, whatever its deadline") {
  GroupWriter writer(*session);
  auto slow = run(
      writer,
      [this] {
        std::this_thread::sleep_for(200ms);
        add(1)();
      },
      hsmsigner::deadline_in(100ms));
  CHECK_FALSE(slow.get().has_value());
  CHECK(count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "the queue is bounded") {
  GroupWriter writer(*session, {.queue = 2, .batch = 8});
  Held held(writer);
  auto a = run(writer, add(1));
  auto b = run(writer, add(2));
  wait_until_waiting(writer, 2);
  CHECK((kind_of([&] { writer.run(add(3), soon()); }) == ErrorKind::too_many_requests));
  held.release();
  CHECK_FALSE(a.get().has_value());
  CHECK_FALSE(b.get().has_value());
}
