#include "service/failure_journal.h"

#include <doctest/doctest.h>

#include <thread>

#include "audit/event_line.h"
#include "store/store.h"
#include "support/temporary_directory.h"

using namespace hsmsigner;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  test_support::TemporaryDirectory directory;
  const std::unique_ptr<store::Store> store = store::Store::open({.path = directory.file("db")});

  static audit::Event failure_from(const std::string& address) {
    audit::Event event{.kind = audit::EventKind::authentication_failed, .outcome = audit::Outcome::refused};
    event.origin.address = address;
    return event;
  }
  std::size_t count(audit::EventKind kind) {
    store::JournalFilter filter;
    filter.kind = kind;
    return store->journal().find(filter, 0, 1000).size();
  }
};

constexpr auto kFailed = audit::EventKind::authentication_failed;
constexpr auto kSummary = audit::EventKind::failures_summarized;

}  // namespace

using Of = service::FailureJournal::Of;

TEST_CASE_FIXTURE(Fixture, "of one address a few failures are written, the rest is counted and told") {
  service::FailureJournal failures(store->journal(), {.window = 3600s, .of_address = 3, .of_strangers = 5});
  for (int i = 0; i < 10; ++i) failures.note(Of::stranger, failure_from("192.0.2.1"), deadline_in(5s));
  CHECK(count(kFailed) == 3);
  failures.note(Of::stranger, failure_from("192.0.2.2"), deadline_in(5s));  // its own allowance
  CHECK(count(kFailed) == 4);
  for (int i = 0; i < 20; ++i) {
    failures.note(Of::stranger, failure_from("192.0.2." + std::to_string(3 + i)), deadline_in(5s));
  }
  CHECK(count(kFailed) == 5);  // of all together
  failures.tell_counted(deadline_in(5s));
  CHECK(count(kSummary) == 0);  // the window is open
  failures.tell_counted(deadline_in(5s), true);
  REQUIRE(count(kSummary) == 1);
  const auto told = audit::parse_line(store->journal().last_of(kSummary)->line);
  REQUIRE(told.has_value());
  CHECK(told->event.details[0].second == std::to_string(7 + 19));
  CHECK(told->event.details[1].second == "20");
  CHECK(told->event.details[2].second.starts_with("address 192.0.2.1: 7; "));
  failures.tell_counted(deadline_in(5s), true);
  CHECK(count(kSummary) == 1);  // once
}

TEST_CASE_FIXTURE(Fixture, "an IPv6 /64 is one stranger, and strangers use up nothing of an account") {
  service::FailureJournal failures(store->journal(),
                                   {.window = 3600s, .of_address = 2, .of_strangers = 3, .of_account = 2});
  for (int i = 1; i <= 9; ++i) {
    failures.note(Of::stranger, failure_from("2001:db8::" + std::to_string(i)), deadline_in(5s));
  }
  CHECK(count(kFailed) == 2);
  for (int i = 1; i <= 9; ++i) {
    failures.note(Of::stranger, failure_from("192.0.2." + std::to_string(i)), deadline_in(5s));
  }
  CHECK(count(kFailed) == 3);
  audit::Event guess = failure_from("192.0.2.77");
  guess.origin.account = "root";
  for (int i = 0; i < 5; ++i) failures.note(Of::account, guess, deadline_in(5s));
  CHECK(count(kFailed) == 5);
  failures.tell_counted(deadline_in(5s), true);
  const auto told = audit::parse_line(store->journal().last_of(kSummary)->line);
  REQUIRE(told.has_value());
  CHECK(told->event.details[2].second.find("account root: 3") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a window that is over is told at the next failure, which is written again") {
  service::FailureJournal failures(store->journal(), {.window = 1s, .of_address = 1, .of_strangers = 5});
  for (int i = 0; i < 4; ++i) failures.note(Of::stranger, failure_from("192.0.2.1"), deadline_in(5s));
  CHECK(count(kFailed) == 1);
  std::this_thread::sleep_for(1100ms);
  failures.note(Of::stranger, failure_from("192.0.2.1"), deadline_in(5s));
  CHECK(count(kFailed) == 2);
  CHECK(count(kSummary) == 1);
}
