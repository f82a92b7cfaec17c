#include "report/statement.h"

#include <doctest/doctest.h>

using namespace hsmsigner;
using namespace hsmsigner::report;

namespace {

const std::string kDigest(64, 'a');
const std::string kPayload = R"({"report":"html","sha256":")" + kDigest +
                             R"(","made_at":"2026-11-25T09:30:15.250Z","journal_sequence":120,"journal_head":")" +
                             std::string(64, '0') + R"("})";

}  // namespace

TEST_CASE("what is signed about a report is one line, and read back as it was") {
  const auto statement = parse_statement(kPayload);
  REQUIRE(statement);
  CHECK(statement->format == Format::html);
  CHECK(statement->sha256 == kDigest);
  CHECK(statement->journal_sequence == 120);
  CHECK(payload_of(*statement) == kPayload);
  Statement without_journal = *statement;
  without_journal.format = Format::json;
  without_journal.journal_sequence = 0;
  without_journal.journal_head.clear();
  CHECK(parse_statement(payload_of(without_journal)));
}

TEST_CASE("anything else is no statement") {
  const auto replaced = [](const std::string& part, const std::string& by) {
    std::string text = kPayload;
    const std::size_t at = text.find(part);
    REQUIRE(at != std::string::npos);
    return text.replace(at, part.size(), by);
  };
  for (const std::string& text :
       {std::string(), std::string("{}"), replaced("html", "pdf"), replaced("html\"", "html\" "),
        replaced(kDigest, kDigest.substr(1)), replaced(kDigest, std::string(64, 'A')), replaced(":120", ":0120"),
        replaced(":120", ":-1"), replaced(":120", ":99999999999999999999"), replaced(":120", ":"),
        replaced(".250Z", "Z"), replaced(std::string(64, '0'), "00"), kPayload + " ",
        kPayload.substr(0, kPayload.size() - 1), replaced("journal_head", "head")}) {
    CHECK_MESSAGE(!parse_statement(text), text);
  }
}
