#include "service/incident_journal.h"

#include <doctest/doctest.h>

#include <future>

#include "audit/event_line.h"
#include "journal_fixture.h"

using namespace hsmsigner;
using namespace service_test;
using namespace std::chrono_literals;
using service::IncidentJournal;
using service::IncidentLimits;

namespace {

audit::Event lost(const std::string& serial) {
  audit::Event event{audit::EventKind::token_lost, {}, {}, {}, {}, {}};
  event.outcome = audit::Outcome::failed;
  event.object = serial;
  return event;
}

std::string detail_of(const audit::Event& event, const std::string& name) {
  for (const auto& detail : event.details) {
    if (detail.first == name) return detail.second;
  }
  return "";
}

struct Fixture : JournalFixture {
  std::vector<audit::Event> written() const {
    std::vector<audit::Event> events;
    for (const std::string& line : lines()) events.push_back(audit::parse_line(line).value().event);
    return events;
  }
};

// Holds whoever calls pass() until open() is called.
struct Gate {
  std::promise<void> opened;
  std::shared_future<void> future{opened.get_future()};
  void pass() const { future.wait(); }
  void open() { opened.set_value(); }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "incidents are events in the order in which they came, with the time at which they came") {
  const UnixMillis before = system_now_millis();
  IncidentJournal incidents(journal);
  for (int i = 0; i < 50; ++i) incidents.tell(lost(std::to_string(i)));
  CHECK(incidents.finish(soon()));
  const std::vector<audit::Event> events = written();
  REQUIRE(events.size() == 50);
  for (std::size_t i = 0; i < events.size(); ++i) {
    CHECK(events[i].kind == audit::EventKind::token_lost);
    CHECK(events[i].outcome == audit::Outcome::failed);
    CHECK(events[i].object == std::to_string(i));
    const auto observed = parse_date_time(detail_of(events[i], "observed_at"));
    REQUIRE(observed.has_value());
    CHECK(*observed >= before);
    CHECK(*observed <= system_now_millis());
  }
}

TEST_CASE_FIXTURE(Fixture, "a store that does not answer holds nobody up, and what is too much is counted") {
  Gate gate;
  watched.before_append = [&] { gate.pass(); };
  IncidentLimits limits;
  limits.waiting = 10;
  IncidentJournal incidents(watched, limits);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 25; ++i) incidents.tell(lost(std::to_string(i)));
  CHECK(std::chrono::steady_clock::now() - begin < 2s);
  gate.open();
  CHECK(incidents.finish(soon()));
  const std::vector<audit::Event> events = written();
  REQUIRE(events.size() == 10);
  int left_out = 0;
  for (const audit::Event& event : events) {
    const std::string number = detail_of(event, "left_out");
    if (!number.empty()) left_out += std::stoi(number);
  }
  CHECK(left_out == 15);
}

TEST_CASE_FIXTURE(Fixture, "what the store refuses is tried again until it is written, once") {
  std::atomic<int> calls{0};
  watched.before_append = [&] {
    if (++calls <= 3) throw Error(ErrorKind::journal_unavailable, {"journal: the disk is full"});
  };
  IncidentLimits limits;
  limits.first_wait = 5ms;
  limits.longest_wait = 20ms;
  IncidentJournal incidents(watched, limits);
  incidents.tell(lost("1"));
  incidents.tell(lost("2"));
  CHECK(eventually([&] { return written().size() == 2; }));
  CHECK(incidents.finish(soon()));
  CHECK(calls == 5);
  CHECK(written()[0].object == "1");
  CHECK(written()[1].object == "2");
}

TEST_CASE_FIXTURE(Fixture,
                  "an end with a store that keeps failing comes by its deadline, and says that something is lost") {
  std::atomic<int> calls{0};
  watched.before_append = [&] {
    ++calls;
    throw Error(ErrorKind::journal_unavailable, {"journal: the disk is full"});
  };
  IncidentLimits limits;
  limits.first_wait = 20ms;
  limits.longest_wait = 20ms;
  IncidentJournal incidents(watched, limits);
  incidents.tell(lost("1"));
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(incidents.finish(deadline_in(200ms)));
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  CHECK(calls > 1);
  CHECK(calls < 50);  // it does not spin
  CHECK(written().empty());
  incidents.tell(lost("2"));  // too late, and harmless
}

TEST_CASE_FIXTURE(Fixture, "each kind of incident is its event, with the token's serial number") {
  const Uuid key = Uuid::random();
  {
    IncidentJournal incidents(journal);
    incidents.set_token("0123");
    incidents.tell(hsm::TokenIncident{hsm::TokenIncident::Kind::lost, "CKR_DEVICE_REMOVED", {}});
    incidents.tell(hsm::TokenIncident{hsm::TokenIncident::Kind::back, "", {}});
    incidents.tell(hsm::TokenIncident{hsm::TokenIncident::Kind::key_destroyed, "", key});
    // The end writes what waits.
  }
  const std::vector<audit::Event> events = written();
  REQUIRE(events.size() == 3);
  CHECK(events[0].kind == audit::EventKind::token_lost);
  CHECK(events[0].outcome == audit::Outcome::failed);
  CHECK(events[0].object == "0123");
  CHECK(detail_of(events[0], "code") == "CKR_DEVICE_REMOVED");
  CHECK(events[1].kind == audit::EventKind::token_back);
  CHECK(events[1].outcome == audit::Outcome::done);
  CHECK(events[1].object == "0123");
  CHECK(events[2].kind == audit::EventKind::key_destroyed);
  CHECK(events[2].outcome == audit::Outcome::done);
  CHECK(events[2].object == key.to_string());
  CHECK(detail_of(events[2], "token") == "0123");
}
