// The export format: what is written is read back as the same items, and nothing else is a key or a checkpoint.
#include "audit/journal_file.h"

#include <doctest/doctest.h>

#include <sstream>

#include "audit/sample_journal.h"
#include "base/error.h"

namespace {

using namespace hsmsigner;
using namespace hsmsigner::audit;
using namespace test_support;

std::vector<JournalItem> read_all(const std::string& text) {
  std::istringstream in(text);
  JournalFileSource source(in, "a file");
  std::vector<JournalItem> items;
  while (auto item = source.next()) items.push_back(*std::move(item));
  return items;
}

}  // namespace

TEST_CASE("a journal file is read back as it was written") {
  const JournalMaker journal = JournalMaker().key().events(3).checkpoint().events(2).checkpoint();
  const std::string text = file_of(journal.items);
  CHECK(file_of(read_all(text)) == text);
  const std::vector<JournalItem> read = read_all(text);
  REQUIRE(read.size() == journal.items.size());
  for (std::size_t i = 0; i < read.size(); ++i) CHECK(read[i].index() == journal.items[i].index());
  CHECK(text.starts_with(std::string(R"({"audit_key":")") + kOurKey +
                         R"(","public_key":"-----BEGIN PUBLIC KEY-----\u000a)"));
  CHECK(text.find("\n{\"checkpoint\":\"" + journal.last_jws + "\"}\n") != std::string::npos);
}

TEST_CASE("the last line of a journal file may lack its line feed") {
  std::string text = file_of(JournalMaker().key().events(3).checkpoint().items);
  text.pop_back();
  CHECK(text_of(verdict_on_file(text)) == "intact");
}

TEST_CASE("a line that is neither key nor checkpoint as they are written is taken for an event, which it is not") {
  const std::string good = file_of(JournalMaker().key().events(3).checkpoint().items);
  for (const std::string& line :
       {std::string(), std::string("{}"), std::string("# a comment"), std::string("{\"checkpoint\":\"\",\"more\":1}"),
        std::string("{\"checkpoint\": \"x\"}"), std::string("{\"audit_key\":\"x\"}"),
        std::string("{\"audit_key\":\"x\",\"public_key\":1}"), std::string("a\0b", 3)}) {
    CAPTURE(line);
    const auto items = read_all(line + "\n");
    REQUIRE(items.size() == 1);
    CHECK(std::holds_alternative<EventItem>(items.front()));
    const Verdict verdict = verdict_on_file(good + line + "\n");
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->fault == Fault::not_canonical);
    CHECK(verdict.problem->sequence == 4);
    CHECK(verdict.problem->place == "line 6 of a file");
  }
}

TEST_CASE("a line of any length is refused in a fixed amount of memory") {
  const std::string good = file_of(JournalMaker().key().events(3).checkpoint().items);
  for (const std::size_t length :
       {kLongestLine - 1, kLongestLine, kLongestLine + 1, kLongestLine + 2, 5 * kLongestLine}) {
    CAPTURE(length);
    const Verdict verdict = verdict_on_file(good + std::string(length, 'x') + "\n" + good);
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->fault == Fault::not_canonical);
    CHECK(verdict.problem->place == "line 6 of a file");
  }
}

TEST_CASE("a stream that fails is an error, not the end of the journal") {
  struct Failing : std::streambuf {
    int_type underflow() override { throw std::runtime_error("the disk is gone"); }
  };
  Failing failing;
  std::istream in(&failing);
  JournalFileSource source(in, "a file");
  CHECK_THROWS_AS(source.next(), const Error&);
}
