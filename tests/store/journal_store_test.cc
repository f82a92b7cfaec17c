#include "store/journal_store.h"

#include <doctest/doctest.h>

#include <thread>

#include "audit/event_line.h"
#include "check_equal.h"
#include "support/temporary_directory.h"

using namespace hsmsigner;
using namespace std::chrono_literals;
using store_test::kind_of;
using store_test::soon;

namespace {

struct Fixture {
  test_support::TemporaryDirectory directory;
  const std::string path = directory.file("db");
  std::unique_ptr<store::Store> opened = store::Store::open({.path = path});

  store::JournalStore& journal() { return opened->journal(); }
  std::vector<audit::ChainedEvent> events() {
    std::vector<audit::ChainedEvent> all;
    for (const store::JournalLine& line : journal().lines(0, 1000)) {
      const auto event = audit::parse_line(line.line);
      REQUIRE(event.has_value());
      CHECK(event->sequence == line.sequence);
      all.push_back(*event);
    }
    return all;
  }
  // The chain as its definition has it: each line's hash stands in the next.
  void check_chain() {
    std::string previous = audit::kNoPrevious;
    std::uint64_t sequence = 0;
    for (const store::JournalLine& line : journal().lines(0, 1000)) {
      const auto event = audit::parse_line(line.line);
      REQUIRE(event.has_value());
      CHECK(event->sequence == ++sequence);
      CHECK(event->previous == previous);
      previous = audit::hash_of(line.line);
    }
    CHECK(journal().head().sequence == sequence);
    CHECK(journal().head().hash == previous);
  }
};

audit::Event event_of(audit::EventKind kind, const std::string& account, const std::string& object) {
  audit::Event event{.kind = kind, .object = object, .container = "folder:My"};
  event.origin = {account, "127.0.0.1", "request", "digest"};
  event.details = {{"name", "value"}};
  return event;
}

constexpr auto kIssued = audit::EventKind::certificate_issued;
constexpr auto kDeleted = audit::EventKind::certificate_deleted;

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "events are chained in the order in which they were written, and stay so when opened again") {
  CHECK(journal().head().sequence == 0);
  CHECK(journal().head().hash == audit::kNoPrevious);
  CHECK(journal().first_sequence() == 0);
  const auto before = system_now_millis();
  CHECK(journal().append(event_of(kIssued, "a", "1"), soon()) == 1);
  CHECK(journal().append(event_of(kDeleted, "b", "2"), soon()) == 2);
  opened.reset();
  opened = store::Store::open({.path = path});
  CHECK(journal().append(event_of(kIssued, "c", "3"), soon()) == 3);
  check_chain();
  const auto all = events();
  REQUIRE(all.size() == 3);
  CHECK((all[1].event.kind == kDeleted));
  CHECK(all[1].event.origin.account == "b");
  CHECK(all[1].event.origin.request_digest == "digest");
  CHECK(all[1].event.details == event_of(kIssued, "", "").details);
  CHECK((all[0].time >= before));
  CHECK((all[2].time <= system_now_millis()));
}

TEST_CASE_FIXTURE(Fixture, "an event is written with its change or not at all") {
  const auto event = event_of(kIssued, "a", "1");
  const auto record = store_test::sample_record("one");
  opened->certificates().insert(record, soon(), {.event = &event});
  CHECK(events().size() == 1);
  // The name is taken: neither the record nor its event.
  CHECK((kind_of([&] { opened->certificates().insert(store_test::sample_record("one"), soon(), {.event = &event}); }) ==
         ErrorKind::name_not_unique));
  CHECK(events().size() == 1);
  const auto account = store_test::sample_account("account");
  const auto created = event_of(audit::EventKind::account_created, "admin", "account");
  opened->accounts().insert(account, soon(), {.event = &created});
  CHECK((kind_of([&] {
           opened->accounts().update("account",
                                     [](store::AccountRecord&) { throw Error(ErrorKind::invalid_credential); }, soon(),
                                     {.event = &created});
         }) == ErrorKind::invalid_credential));
  opened->certificates().mark_deleting(record.id, record.not_after + 1s, soon(), {.event = &event});
  opened->certificates().unmark_deleting(record.id, soon(), {.event = &event});
  opened->certificates().erase(record.id, soon(), {.event = &event});
  CHECK(events().size() == 5);
  check_chain();
}

TEST_CASE_FIXTURE(Fixture, "two programs and many threads write one chain") {
  const auto other = store::Store::open({.path = path});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      store::Store& mine = i % 2 == 0 ? *opened : *other;
      for (int n = 0; n < 50; ++n) {
        mine.journal().append(event_of(kIssued, std::to_string(i), std::to_string(n)), deadline_in(30s));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(events().size() == 200);
  check_chain();
}

TEST_CASE_FIXTURE(Fixture, "events are found by kind, account, object and time, and paged by their sequence") {
  for (int i = 1; i <= 10; ++i) {
    journal().append(event_of(i % 2 == 0 ? kDeleted : kIssued, i <= 5 ? "first" : "second", std::to_string(i % 3)),
                     soon());
  }
  const auto sequences = [&](const store::JournalFilter& filter, std::uint64_t after = 0, std::size_t limit = 100) {
    std::vector<std::uint64_t> found;
    for (const auto& line : journal().find(filter, after, limit)) found.push_back(line.sequence);
    return found;
  };
  using Sequences = std::vector<std::uint64_t>;
  store::JournalFilter filter;
  CHECK(sequences(filter).size() == 10);
  CHECK(sequences(filter, 8) == Sequences{9, 10});
  CHECK(sequences(filter, 2, 3) == Sequences{3, 4, 5});
  filter.kind = kDeleted;
  CHECK(sequences(filter) == Sequences{2, 4, 6, 8, 10});
  filter.account = "first";
  CHECK(sequences(filter) == Sequences{2, 4});
  filter.object = "1";
  CHECK(sequences(filter) == Sequences{4});
  filter = {};
  const auto fifth = events()[4].time;
  filter.from = fifth;
  filter.until = fifth + 1h;
  const auto since = sequences(filter);
  CHECK(since.back() == 10);
  CHECK(since.size() >= 6);
  filter.until = fifth;
  CHECK(sequences(filter).empty());
  REQUIRE(journal().last_of(kIssued).has_value());
  CHECK(journal().last_of(kIssued)->sequence == 9);
  CHECK_FALSE(journal().last_of(audit::EventKind::report_made).has_value());
}

TEST_CASE_FIXTURE(Fixture, "checkpoints and keys: each number once, the newest key first") {
  journal().append(event_of(kIssued, "a", "1"), soon());
  CHECK_FALSE(journal().last_checkpoint().has_value());
  journal().add_checkpoint({1, 1, system_now_millis(), "jws-1"}, soon());
  journal().add_checkpoint({2, 1, system_now_millis(), "jws-2"}, soon());
  CHECK((kind_of([&] {
           journal().add_checkpoint({2, 1, system_now_millis(), "other"}, soon());
         }) == ErrorKind::object_not_unique));
  REQUIRE(journal().last_checkpoint().has_value());
  CHECK(journal().last_checkpoint()->jws == "jws-2");
  REQUIRE(journal().checkpoints(1, 10).size() == 1);
  CHECK(journal().checkpoints(1, 10).front().number == 2);

  const UnixTime now = system_now();
  const store::AuditKeyRecord old{Uuid::random(), "old", now};
  const store::AuditKeyRecord fresh{Uuid::random(), "fresh", now + 1s};
  journal().add_audit_key(old, event_of(audit::EventKind::audit_key_made, "", old.id.to_string()), soon());
  journal().add_audit_key(fresh, event_of(audit::EventKind::audit_key_made, "", fresh.id.to_string()), soon());
  REQUIRE(journal().audit_keys().size() == 2);
  CHECK(journal().audit_keys().front().public_key_pem == "fresh");
  CHECK(events().size() == 3);
}

TEST_CASE_FIXTURE(Fixture, "what was archived goes with the event that tells of it, and the chain goes on") {
  for (int i = 1; i <= 5; ++i) journal().append(event_of(kIssued, "a", std::to_string(i)), soon());
  const std::string third = journal().lines(2, 1).front().line;
  journal().remove_archived(3, event_of(audit::EventKind::journal_archived, "", ""), soon());
  CHECK(journal().first_sequence() == 4);
  CHECK(journal().head().sequence == 6);
  const auto rest = journal().lines(0, 10);
  REQUIRE(rest.size() == 3);
  CHECK(audit::parse_line(rest.front().line)->previous == audit::hash_of(third));
  // Even everything: its own event stays for the next to be chained to.
  journal().remove_archived(6, event_of(audit::EventKind::journal_archived, "", ""), soon());
  CHECK(journal().append(event_of(kIssued, "a", "6"), soon()) == 8);
  CHECK(audit::parse_line(journal().lines(7, 1).front().line)->previous ==
        audit::hash_of(journal().lines(6, 1).front().line));
}

TEST_CASE_FIXTURE(Fixture, "how far a copy has come is kept") {
  CHECK(journal().copied("syslog") == 0);
  journal().set_copied("syslog", 7, soon());
  journal().set_copied("syslog", 9, soon());
  journal().set_copied("other", 1, soon());
  CHECK(journal().copied("syslog") == 9);
}
