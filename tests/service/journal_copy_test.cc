// The live copy: to a real file and to real sockets, with ends and faults in between.
#include "service/journal_copy.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "audit/event_line.h"
#include "journal_fixture.h"
#include "service/copy_file_sink.h"
#include "service/syslog_sink.h"
#include "support/command.h"
#include "syslog_receiver.h"

using namespace hsmsigner;
using namespace service_test;
using namespace std::chrono_literals;
using namespace hsmsigner::service;

namespace {

CopyPace quick() {
  CopyPace pace;
  pace.look = 5ms;
  pace.first_wait = 10ms;
  pace.longest_wait = 50ms;
  pace.one_try = 2s;
  pace.batch = 7;
  return pace;
}

std::vector<std::string> lines_of_text(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

struct Fixture : JournalFixture {
  std::string file = directory.file("journal.jsonl");

  std::vector<std::string> copied_lines() const {
    return lines_of_text(std::filesystem::exists(file) ? test_support::read_file(file) : "");
  }
  std::unique_ptr<JournalCopy> to_file() {
    return std::make_unique<JournalCopy>(watched, std::make_unique<CopyFileSink>(file), quick());
  }
  std::unique_ptr<JournalCopy> to_syslog(const std::string& target) {
    return std::make_unique<JournalCopy>(
        watched, std::make_unique<SyslogSink>(parse_syslog_target(target).value(), SyslogOrigin{"host", "42"}),
        quick());
  }
  // The sentence that opening the sink is refused with; "" when it is not.
  std::string fault_of_open() {
    try {
      CopyFileSink(file).open(journal, soon());
      return "";
    } catch (const Error& error) {
      return error.details().at(0);
    }
  }
};

// Takes one message and checks all that its line says as well.
std::uint64_t check_message(const std::string& message, const std::vector<std::string>& lines) {
  const ReceivedMessage parsed = parse_message(message);
  REQUIRE_MESSAGE(parsed.fault == "", parsed.fault);
  const std::uint64_t sequence = std::stoull(parsed.sequence);
  REQUIRE(sequence >= 1);
  REQUIRE(sequence <= lines.size());
  const std::string& line = lines[sequence - 1];
  CHECK(parsed.text == line);
  CHECK(parsed.hash == audit::hash_of(line));
  CHECK(parsed.time == date_time(audit::parse_line(line).value().time));
  CHECK(parsed.kind == "certificate_issued");
  CHECK(parsed.priority == 13 * 8 + 6);
  CHECK(parsed.host == "host");
  CHECK(parsed.application == "hsm-signer");
  CHECK(parsed.process == "42");
  return sequence;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "copy file: every event once and in order, through many restarts") {
  for (int start = 0; start < 5; ++start) {
    const auto copy = to_file();
    add_events(23);
    CHECK(copy->finish(soon()));
    CHECK(copied_lines() == lines());
    add_events(start);  // while no copy runs
  }
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  const auto copy = to_file();
  add_events(1);
  CHECK(eventually([&] { return copied_lines() == lines(); }));  // and without an end, too
}

TEST_CASE_FIXTURE(Fixture, "copy file: a last line that a crash left incomplete is cut off, wherever it ends") {
  add_events(3);
  to_file()->finish(soon());
  const std::string whole = test_support::read_file(file);
  add_events(1);
  const std::string next = lines().back() + "\n";
  std::size_t tried = 0;
  for (std::size_t cut = 0; cut < next.size(); cut += 37, ++tried) {
    CAPTURE(cut);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << whole << next.substr(0, cut);
    CHECK(to_file()->finish(soon()));
    CHECK(copied_lines() == lines());
  }
  CHECK(tried > 5);
  // Nothing but an incomplete line.
  std::ofstream(file, std::ios::binary | std::ios::trunc) << whole.substr(0, 20);
  CHECK(to_file()->finish(soon()));
  CHECK(copied_lines() == lines());
}

TEST_CASE_FIXTURE(Fixture, "copy file: a last line longer than a block of reading is found") {
  audit::Event event = sample_event("long");
  for (int i = 0; i < 200; ++i) event.details.emplace_back("detail_" + std::to_string(i), std::string(1000, 'x'));
  add_events(1);
  journal.append(event, soon());
  CHECK(to_file()->finish(soon()));
  CHECK(copied_lines().back().size() > 200'000);
  add_events(1);
  CHECK(to_file()->finish(soon()));
  CHECK(copied_lines() == lines());
}

TEST_CASE_FIXTURE(Fixture, "copy file: only a private regular file of this journal, which nobody else writes") {
  add_events(2);
  REQUIRE(to_file()->finish(soon()));
  CHECK(fault_of_open() == "");

  const std::string good = test_support::read_file(file);
  SUBCASE("another journal's") {
    JournalFixture other;
    other.add_events(5);
    std::ofstream(file, std::ios::trunc) << other.lines()[1] << "\n";
    CHECK(fault_of_open() == "audit.copy_file: its last line is an event of another journal");
    std::ofstream(file, std::ios::trunc) << other.lines()[4] << "\n";
    CHECK(fault_of_open() == "audit.copy_file: its last line is an event of another journal");
  }
  SUBCASE("something else") {
    std::ofstream(file, std::ios::app) << "root:x:0:0\n";
    CHECK(fault_of_open() == "audit.copy_file: its last line is no event of a journal");
    std::ofstream(file, std::ios::trunc) << std::string(3 << 20, 'x');
    CHECK(fault_of_open() == "audit.copy_file: its last line is longer than any event");
  }
  SUBCASE("open to others") {
    std::filesystem::permissions(file, std::filesystem::perms::group_read, std::filesystem::perm_options::add);
    CHECK(fault_of_open() == "audit.copy_file: is open to group or others");
  }
  SUBCASE("a link") {
    std::filesystem::rename(file, file + ".real");
    std::filesystem::create_symlink(file + ".real", file);
    CHECK(fault_of_open() == "audit.copy_file: cannot be opened");
    CHECK(test_support::read_file(file + ".real") == good);
  }
  SUBCASE("a pipe") {
    std::filesystem::remove(file);
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    CHECK(fault_of_open() == "audit.copy_file: is not a regular file");
  }
  SUBCASE("two at once") {
    CopyFileSink first(file);
    CHECK(first.open(journal, soon()) == 2);
    CHECK(fault_of_open() == "audit.copy_file: another process writes it");
  }
  SUBCASE("a directory that is not there") {
    file = directory.file("absent/journal.jsonl");
    CHECK(fault_of_open() == "audit.copy_file: cannot be opened");
  }
}

TEST_CASE_FIXTURE(Fixture, "copy file: moved away, cut or added to while it is written, it becomes whole again") {
  const auto copy = to_file();
  add_events(10);
  REQUIRE(eventually([&] { return copied_lines() == lines(); }));
  SUBCASE("moved") { std::filesystem::rename(file, file + ".1"); }
  SUBCASE("cut to nothing") { std::filesystem::resize_file(file, 0); }
  SUBCASE("cut in a line") { std::filesystem::resize_file(file, std::filesystem::file_size(file) - 30); }
  SUBCASE("added to") { std::ofstream(file, std::ios::app) << "an incomplete line"; }
  add_events(1);
  CHECK(eventually([&] { return copied_lines() == lines(); }));
}

TEST_CASE_FIXTURE(Fixture,
                  "copy file: events that were archived before they were copied are left out, the rest comes") {
  add_events(10);
  journal.remove_archived(6, {audit::EventKind::journal_archived, {}, {}, {}, {}, {}}, soon());
  CHECK(to_file()->finish(soon()));
  CHECK(copied_lines() == lines());
  CHECK(copied_lines().size() == 5);
  // What was copied before it was archived stays in the file.
  journal.remove_archived(11, {audit::EventKind::journal_archived, {}, {}, {}, {}, {}}, soon());
  CHECK(to_file()->finish(soon()));
  CHECK(copied_lines().size() == 6);
}

TEST_CASE_FIXTURE(Fixture, "a copy that does not get on holds up nobody who writes events") {
  std::atomic<bool> stuck{true};
  watched.before_lines = [&] {
    while (stuck) std::this_thread::sleep_for(1ms);
  };
  const auto copy = to_file();
  const auto begin = std::chrono::steady_clock::now();
  add_events(20);
  CHECK(std::chrono::steady_clock::now() - begin < 10s);
  CHECK(lines().size() == 20);
  CHECK(copied_lines().empty());
  stuck = false;
  CHECK(copy->finish(soon()));
  CHECK(copied_lines() == lines());
}

TEST_CASE_FIXTURE(Fixture, "syslog: a position beyond the journal's end does not silence the copy") {
  const DatagramReceiver receiver;
  add_events(4);
  journal.set_copied("syslog", 1'000'000, soon());
  {
    const auto copy = to_syslog("udp:127.0.0.1:" + std::to_string(receiver.port()));
    for (std::uint64_t expected = 1; expected <= 4; ++expected) {
      CHECK(check_message(receiver.next(), lines()) == expected);
    }
    add_events(1);
    CHECK(check_message(receiver.next(), lines()) == 5);
    CHECK(copy->finish(soon()));
  }
  CHECK(journal.copied("syslog") == 5);
  // An end alone finds it as well.
  journal.set_copied("syslog", 1'000'000, soon());
  CHECK(to_syslog("udp:127.0.0.1:" + std::to_string(receiver.port()))->finish(soon()));
  for (std::uint64_t expected = 1; expected <= 5; ++expected) {
    CHECK(check_message(receiver.next(), lines()) == expected);
  }
  CHECK(receiver.next(100) == "");
}

TEST_CASE_FIXTURE(Fixture, "a journal that is cut off while it is copied to a file is not copied on into it") {
  const auto copy = to_file();
  add_events(4);
  CHECK(eventually([&] { return copied_lines().size() == 4; }));
  const std::vector<std::string> before = copied_lines();
  test_support::must_run(
      {"sqlite3", "-cmd", ".timeout 10000", directory.file("db"), "DELETE FROM event WHERE sequence > 2"});
  std::this_thread::sleep_for(100ms);
  add_events(4);
  CHECK_FALSE(copy->finish(soon()));
  CHECK(copied_lines() == before);
}

TEST_CASE("where syslog messages go: every form that is taken, and those that are not") {
  const auto unix_socket = parse_syslog_target("unix:/dev/log");
  REQUIRE(unix_socket.has_value());
  CHECK(unix_socket->transport == SyslogTransport::unix_datagram);
  CHECK(unix_socket->address == "/dev/log");
  const auto udp = parse_syslog_target("udp:192.0.2.1:514");
  REQUIRE(udp.has_value());
  CHECK(udp->transport == SyslogTransport::udp);
  CHECK(udp->address == "192.0.2.1");
  CHECK(udp->port == 514);
  const auto tcp = parse_syslog_target("tcp:[2001:db8::1]:65535");
  REQUIRE(tcp.has_value());
  CHECK(tcp->transport == SyslogTransport::tcp);
  CHECK(tcp->address == "2001:db8::1");
  CHECK(tcp->port == 65535);
  CHECK(parse_syslog_target("unix:/" + std::string(106, 'a')).has_value());
  for (const std::string none : {"",
                                 "unix:",
                                 "unix:dev/log",
                                 "/dev/log",
                                 "udp:",
                                 "udp:514",
                                 "udp:192.0.2.1",
                                 "udp:192.0.2.1:",
                                 "udp:192.0.2.1:0",
                                 "udp:192.0.2.1:65536",
                                 "udp:192.0.2.1:-1",
                                 "udp:192.0.2.1: 514",
                                 "udp:192.0.2.1:514 ",
                                 "udp:logs.example:514",
                                 "udp:2001:db8::1:514",
                                 "udp:[192.0.2.1]:514",
                                 "tcp:[]:514",
                                 "tcp:[2001:db8::1]514",
                                 "tls:192.0.2.1:6514",
                                 "UDP:192.0.2.1:514",
                                 "udp://192.0.2.1:514"}) {
    CAPTURE(none);
    CHECK_FALSE(parse_syslog_target(none).has_value());
  }
  CHECK_FALSE(parse_syslog_target("unix:/" + std::string(107, 'a')).has_value());
}

TEST_CASE("a syslog message, octet for octet") {
  audit::ChainedEvent chained{7, parse_date_time("2026-11-24T12:00:00.123Z").value(), sample_event("o"),
                              audit::kNoPrevious};
  const SyslogOrigin origin{"signer.example", "4711"};
  const std::string line = audit::line_of(chained);
  CHECK(syslog_message({7, line}, origin).text() ==
        "<110>1 2026-11-24T12:00:00.123Z signer.example hsm-signer 4711 certificate_issued [journal@32473 "
        "sequence=\"7\" hash=\"" +
            audit::hash_of(line) + "\"] " + line);

  chained.event.outcome = audit::Outcome::refused;
  CHECK(syslog_message({7, audit::line_of(chained)}, origin).header.starts_with("<108>1 "));
  chained.event.outcome = audit::Outcome::failed;
  CHECK(syslog_message({7, audit::line_of(chained)}, origin).header.starts_with("<107>1 "));

  // RFC 5424 6.4: UTF-8 beyond ASCII follows a byte order mark. The hash is the line's without it.
  chained.event.object = "Zürich";
  const std::string beyond = audit::line_of(chained);
  CHECK(syslog_message({7, beyond}, origin).body == "\xEF\xBB\xBF" + beyond);
  CHECK(syslog_message({7, beyond}, origin).header.find(audit::hash_of(beyond)) != std::string::npos);

  // What somebody has put into the store: told as critical, not left out.
  CHECK(syslog_message({7, "{}"}, origin).text() ==
        "<106>1 - signer.example hsm-signer 4711 - [journal@32473 sequence=\"7\" hash=\"" + audit::hash_of("{}") +
            "\"] {}");
  CHECK(syslog_message({8, beyond}, origin).header.starts_with("<106>1 - "));
}

TEST_CASE("the header of this machine's messages has no blank in a field") {
  const SyslogOrigin origin = syslog_origin();
  CHECK(origin.host_name.size() >= 1);
  CHECK(origin.host_name.size() <= 255);
  CHECK(origin.host_name.find(' ') == std::string::npos);
  CHECK(origin.process_id == std::to_string(::getpid()));
}

TEST_CASE_FIXTURE(Fixture, "syslog over UDP and a Unix socket: every event, in order, and not again after a restart") {
  std::unique_ptr<DatagramReceiver> receiver;
  std::string target;
  SUBCASE("UDP") {
    receiver = std::make_unique<DatagramReceiver>();
    target = "udp:127.0.0.1:" + std::to_string(receiver->port());
  }
  SUBCASE("a Unix socket") {
    receiver = std::make_unique<DatagramReceiver>(directory.file("log"));
    target = "unix:" + directory.file("log");
  }
  std::uint64_t expected = 1;
  for (int start = 0; start < 3; ++start) {
    const auto copy = to_syslog(target);
    add_events(17);
    // A Unix socket holds only a few: they are read while they are sent.
    while (expected <= static_cast<std::uint64_t>(made)) CHECK(check_message(receiver->next(), lines()) == expected++);
    CHECK(copy->finish(soon()));
  }
  CHECK(receiver->next(100) == "");
}

TEST_CASE_FIXTURE(Fixture, "syslog: what no datagram holds goes out without its text, with sequence and hash") {
  const DatagramReceiver receiver;
  audit::Event event = sample_event("long");
  for (int i = 0; i < 100; ++i) event.details.emplace_back("detail_" + std::to_string(i), std::string(1000, 'x'));
  journal.append(event, soon());
  ++made;
  add_events(1);
  const auto copy = to_syslog("udp:127.0.0.1:" + std::to_string(receiver.port()));
  const ReceivedMessage first = parse_message(receiver.next());
  CHECK(first.fault == "");
  CHECK(first.sequence == "1");
  CHECK(first.hash == audit::hash_of(lines()[0]));
  CHECK(first.text == "");
  CHECK(check_message(receiver.next(), lines()) == 2);
}

TEST_CASE_FIXTURE(Fixture, "syslog: while the receiver is away nothing is lost, and it comes when it is back") {
  SUBCASE("UDP") {
    auto receiver = std::make_unique<DatagramReceiver>();
    const std::uint16_t port = receiver->port();
    receiver.reset();
    const auto copy = to_syslog("udp:127.0.0.1:" + std::to_string(port));
    add_events(12);
    std::this_thread::sleep_for(200ms);
    CHECK(journal.copied("syslog") == 0);
    const DatagramReceiver back(port);
    std::set<std::uint64_t> seen;
    while (seen.size() < 12) seen.insert(check_message(back.next(), lines()));
    CHECK(copy->finish(soon()));
  }
  SUBCASE("TCP") {
    auto receiver = std::make_unique<StreamReceiver>();
    const std::uint16_t port = receiver->port();
    receiver.reset();
    const auto copy = to_syslog("tcp:127.0.0.1:" + std::to_string(port));
    add_events(12);
    std::this_thread::sleep_for(200ms);
    CHECK(journal.copied("syslog") == 0);
    StreamReceiver back(port);
    REQUIRE(back.accept());
    for (std::uint64_t expected = 1; expected <= 12; ++expected) CHECK(check_message(back.next(), lines()) == expected);
    CHECK(copy->finish(soon()));
  }
  CHECK(journal.copied("syslog") == 12);
}

TEST_CASE_FIXTURE(Fixture, "syslog over TCP: connections that break, and every event at least once") {
  StreamReceiver receiver;
  const auto copy = to_syslog("tcp:127.0.0.1:" + std::to_string(receiver.port()));
  std::set<std::uint64_t> seen;
  for (int round = 0; round < 5; ++round) {
    add_events(9);  // a connection that is broken shows when there is something to send
    REQUIRE(receiver.accept());
    while (seen.size() < static_cast<std::size_t>(made)) {
      const std::string message = receiver.next();
      REQUIRE(message != "");
      seen.insert(check_message(message, lines()));
    }
    // Nothing is on its way any more: what a receiver's system has acknowledged and the receiver never read is lost to
    // both (RFC 6587 3.4), and no sender could know.
    CHECK(eventually([&] { return journal.copied("syslog") == static_cast<std::uint64_t>(made); }));
    receiver.hang_up();
  }
  add_events(1);
  REQUIRE(receiver.accept());
  while (seen.size() < static_cast<std::size_t>(made)) {
    const std::string message = receiver.next();
    REQUIRE(message != "");
    seen.insert(check_message(message, lines()));
  }
  CHECK(*seen.begin() == 1);
  CHECK(*seen.rbegin() == static_cast<std::uint64_t>(made));
  CHECK(copy->finish(soon()));
}

TEST_CASE_FIXTURE(Fixture, "syslog over TCP: an end before the position was noted sends those events again") {
  StreamReceiver receiver;
  const std::string target = "tcp:127.0.0.1:" + std::to_string(receiver.port());
  watched.before_set_copied = [] { throw Error(ErrorKind::journal_unavailable, {"journal: the disk is full"}); };
  add_events(3);
  {
    const auto copy = to_syslog(target);
    REQUIRE(receiver.accept());
    for (std::uint64_t expected = 1; expected <= 3; ++expected) {
      CHECK(check_message(receiver.next(), lines()) == expected);
    }
    receiver.hang_up();
    CHECK_FALSE(copy->finish(deadline_in(300ms)));
  }
  CHECK(journal.copied("syslog") == 0);
  watched.before_set_copied = nullptr;
  StreamReceiver another;
  const auto copy = to_syslog("tcp:127.0.0.1:" + std::to_string(another.port()));
  REQUIRE(another.accept());
  for (std::uint64_t expected = 1; expected <= 3; ++expected) CHECK(check_message(another.next(), lines()) == expected);
  CHECK(copy->finish(soon()));
  CHECK(journal.copied("syslog") == 3);
}

TEST_CASE_FIXTURE(Fixture, "syslog over TCP: a receiver that reads nothing is not waited for beyond the deadline") {
  StreamReceiver receiver(0, 4096);
  audit::Event event = sample_event("long");
  for (int i = 0; i < 500; ++i) event.details.emplace_back("detail_" + std::to_string(i), std::string(1000, 'x'));
  // More than both kernels hold together.
  for (int i = 0; i < 20; ++i) journal.append(event, soon());
  CopyPace pace = quick();
  pace.one_try = 300ms;
  pace.batch = 20;
  JournalCopy copy(
      watched,
      std::make_unique<SyslogSink>(parse_syslog_target("tcp:127.0.0.1:" + std::to_string(receiver.port())).value(),
                                   SyslogOrigin{"host", "42"}),
      pace);
  REQUIRE(receiver.accept());
  const auto begin = std::chrono::steady_clock::now();
  journal.append(sample_event("meanwhile"), soon());
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  CHECK_FALSE(copy.finish(deadline_in(500ms)));
  CHECK(std::chrono::steady_clock::now() - begin < 10s);
  CHECK(journal.copied("syslog") == 0);
}
