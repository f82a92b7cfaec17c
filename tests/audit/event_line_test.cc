// The canonical line: one way to write an event, and nothing else is read.
#include "audit/event_line.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "base/error.h"

namespace {

using namespace hsmsigner;
using namespace hsmsigner::audit;

ChainedEvent sample() {
  return {42,
          parse_date_time("2026-11-24T12:00:00.123Z").value(),
          {EventKind::certificate_issued,
           Outcome::done,
           {"payments", "192.0.2.7", "r-1", std::string(64, 'a')},
           "c0ffee00-0000-4000-8000-000000000001",
           "folder:Payments",
           {{"name", "card"}, {"algorithm", "P-256"}}},
          std::string(64, 'b')};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a line is written as the document says") {
  CHECK(line_of(sample()) ==
        R"({"sequence":42,"time":"2026-11-24T12:00:00.123Z","kind":"certificate_issued","outcome":"done",)"
        R"("account":"payments","address":"192.0.2.7","request_id":"r-1","request_digest":")" +
            std::string(64, 'a') +
            R"(","object":"c0ffee00-0000-4000-8000-000000000001","container":"folder:Payments",)"
            R"("details":{"name":"card","algorithm":"P-256"},"previous":")" +
            std::string(64, 'b') + R"("})");
}

TEST_CASE("a line that was written is read, and is the same when written again") {
  ChainedEvent event = sample();
  for (const std::string& text :
       {std::string(), std::string("plain"), std::string("\"\\/\b\f\n\r\t\x01\x1f\x7f"), std::string("é 漢 😀"),
        std::string("a\0b", 3), std::string("\xff\xfe not UTF-8 \xc3"), std::string("\xed\xa0\x80 half a pair"),
        std::string(5000, 'x'), std::string(1023, 'x') + "é", std::string(2000, '\n')}) {
    event.event.object = text;
    event.event.details = {{"name", text}};
    const std::string line = line_of(event);
    CAPTURE(line);
    CHECK(line.find('\n') == std::string::npos);
    const auto read = parse_line(line);
    REQUIRE(read);
    CHECK(line_of(*read) == line);
  }
}

TEST_CASE("what is read is what was written") {
  const auto read = parse_line(line_of(sample()));
  REQUIRE(read);
  CHECK(read->sequence == 42);
  CHECK(read->time == sample().time);
  CHECK(read->event.kind == EventKind::certificate_issued);
  CHECK(read->event.outcome == Outcome::done);
  CHECK(read->event.origin.account == "payments");
  CHECK(read->event.origin.address == "192.0.2.7");
  CHECK(read->event.origin.request_id == "r-1");
  CHECK(read->event.origin.request_digest == std::string(64, 'a'));
  CHECK(read->event.object == sample().event.object);
  CHECK(read->event.container == "folder:Payments");
  CHECK(read->event.details == sample().event.details);
  CHECK(read->previous == std::string(64, 'b'));
}

TEST_CASE("every kind and outcome is read by its name") {
  ChainedEvent event = sample();
  for (const EventKindInfo& row : event_kinds()) {
    for (const Outcome outcome : {Outcome::done, Outcome::refused, Outcome::failed}) {
      event.event.kind = row.kind;
      event.event.outcome = outcome;
      const auto read = parse_line(line_of(event));
      REQUIRE(read);
      CHECK(read->event.kind == row.kind);
      CHECK(read->event.outcome == outcome);
    }
  }
}

TEST_CASE("the same event written otherwise is no line") {
  const std::string line = line_of(sample());
  REQUIRE(parse_line(line));
  const std::vector<std::string> others = {
      "",
      "{}",
      "[]",
      "null",
      line + " ",
      " " + line,
      line + "\n",
      line + line,
      line + std::string(1, '\0'),
      line.substr(0, line.size() - 1),
      replaced(line, "{\"sequence\":42", "{ \"sequence\":42"),
      replaced(line, ":42", ":42.0"),
      replaced(line, ":42", ":4.2e1"),
      replaced(line, ":42", ":042"),
      replaced(line, ":42", ":\"42\""),
      replaced(line, ":42", ":-42"),
      replaced(line, ":42", ":18446744073709551616"),
      replaced(line, "\"sequence\":42,", "\"sequence\":42,\"sequence\":42,"),
      replaced(line, "\"sequence\":42,", ""),
      replaced(line, "\"outcome\":\"done\",", ""),
      replaced(line, "\"account\":\"payments\",", ""),
      replaced(line, "\"details\":{", "\"more\":\"\",\"details\":{"),
      replaced(line, "payments", "p\\u0061yments"),
      replaced(line, "folder:Payments", "folder:\\/Payments"),
      replaced(line, "12:00:00.123Z", "12:00:00.1230Z"),
      replaced(line, "12:00:00.123Z", "12:00:00Z"),
      replaced(line, "2026-11-24", "2026-11-31"),
      replaced(line, "certificate_issued", "certificate_invented"),
      replaced(line, "\"done\"", "\"Done\""),
      replaced(line, "\"kind\":\"certificate_issued\",\"outcome\":\"done\"",
               "\"outcome\":\"done\",\"kind\":\"certificate_issued\""),
      replaced(line, "\"name\":\"card\"", "\"name\":1"),
      replaced(line, "\"name\":\"card\"", "\"name\":{}"),
      replaced(line, "\"algorithm\"", "\"name\""),
      replaced(line, std::string(64, 'b'), std::string(64, 'B')),
      replaced(line, std::string(64, 'b'), std::string(63, 'b')),
      replaced(line, std::string(64, 'b'), std::string(64, 'g')),
      replaced(line, "card", "\xff"),
      replaced(line, "card", "\\udc00"),
      replaced(line, "card", "\\ud83d"),
      replaced(line, "card", "\t"),
      replaced(line, "card", std::string(1025, 'x')),
  };
  for (const std::string& other : others) {
    CAPTURE(other);
    CHECK_FALSE(parse_line(other));
  }
  // Deep, and longer than any line: neither exhausts the stack nor is looked at.
  CHECK_FALSE(parse_line(std::string(kLongestLine, '[')));
  CHECK_FALSE(parse_line(replaced(line, "\"name\":\"card\"", "\"name\":" + std::string(500'000, '['))));
  CHECK_FALSE(parse_line(std::string(kLongestLine + 1, ' ') + line));
}

TEST_CASE("a line longer than any may be is not written") {
  ChainedEvent event = sample();
  event.event.details.clear();
  for (int i = 0; i < 2000; ++i) event.event.details.emplace_back("n" + std::to_string(i), std::string(1000, 'x'));
  CHECK_THROWS_AS(line_of(event), const Error&);
}

TEST_CASE("a checkpoint is read only as it is written") {
  const Checkpoint checkpoint{3, 120, std::string(64, 'a'), parse_date_time("2026-11-24T12:00:00.123Z").value(),
                              std::string(64, 'b')};
  const std::string payload = payload_of(checkpoint);
  CHECK(payload == R"({"checkpoint":3,"sequence":120,"head":")" + std::string(64, 'a') +
                       R"(","time":"2026-11-24T12:00:00.123Z","previous":")" + std::string(64, 'b') + R"("})");
  const auto read = parse_checkpoint(payload);
  REQUIRE(read);
  CHECK(payload_of(*read) == payload);
  for (const std::string& other :
       {std::string(), payload + " ", replaced(payload, ":3,", ":3.0,"), replaced(payload, "120", "0120"),
        replaced(payload, std::string(64, 'a'), std::string(64, 'A')), replaced(payload, "\"sequence\":120,", ""),
        replaced(payload, "\"sequence\":120,", "\"sequence\":120,\"more\":1,"),
        replaced(payload, "00.123Z", "00.12Z")}) {
    CAPTURE(other);
    CHECK_FALSE(parse_checkpoint(other));
  }
}
