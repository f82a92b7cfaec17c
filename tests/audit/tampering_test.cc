// A journal that somebody changed: wherever and however, the verifier names the first bad event.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "audit/sample_journal.h"
#include "crypto/digest.h"
#include "crypto/jws.h"

namespace {

using namespace hsmsigner;
using namespace hsmsigner::audit;
using namespace test_support;

// Events 1 to 4, a checkpoint, 5 to 7, a checkpoint.
const JournalMaker& journal() {
  static const JournalMaker made = JournalMaker().key().events(4).checkpoint().events(3).checkpoint();
  return made;
}

EventItem& event_at(std::vector<JournalItem>& items, std::uint64_t sequence) {
  return std::get<EventItem>(items[index_of(items, sequence)]);
}

// Writes events `from` and later anew, as whoever owns the database can, so that the chain holds.
void chain_again(std::vector<JournalItem>& items, std::uint64_t from) {
  std::string head = kNoPrevious;
  for (JournalItem& item : items) {
    auto* kept = std::get_if<EventItem>(&item);
    if (kept == nullptr) continue;
    ChainedEvent event = parse_line(kept->line).value();
    if (event.sequence >= from) {
      event.previous = head;
      kept->line = line_of(event);
    }
    head = hash_of(kept->line);
  }
}

void give_to_another_account(EventItem& item) {
  ChainedEvent event = parse_line(item.line).value();
  event.event.origin.account = "somebody-else";
  item.line = line_of(event);
}

struct Line {
  std::size_t begin, end;  // end: its line feed
  std::uint64_t sequence;  // 0: no event
};

std::vector<Line> lines_of(const std::string& text) {
  std::vector<Line> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const auto event = parse_line(text.substr(begin, end - begin));
    lines.push_back({begin, end, event ? event->sequence : 0});
    begin = end + 1;
  }
  return lines;
}

// What is wrong with the verdict on a file in which something in line `number` was changed; "" when it is right.
std::string fault_in_verdict(const std::string& text, const Line& line, std::size_t number) {
  const Verdict verdict = verdict_on_file(text);
  if (!verdict.problem) return "not found";
  const Problem& problem = *verdict.problem;
  if (line.sequence == 7) {
    // The last event has one witness, the checkpoint, which says as much of all the events since the one before.
    return problem.sequence >= 5 && problem.until == 7 ? "" : text_of(verdict);
  }
  if (line.sequence != 0) {
    return problem.sequence == line.sequence && problem.until == line.sequence ? "" : text_of(verdict);
  }
  // Of a key's line, the checkpoint that it signed tells.
  return number == 0 || problem.place == "line " + std::to_string(number + 1) + " of a file" ? "" : text_of(verdict);
}

}  // namespace

TEST_CASE("the journal that is changed below is intact") {
  const std::string text = file_of(journal().items);
  REQUIRE(text_of(verdict_on_file(text)) == "intact");
  REQUIRE(text_of(verdict_on({with_columns(journal().items)}, {}, true)) == "intact");
}

TEST_CASE("one octet changed anywhere in a journal file is found, and where") {
  const std::string text = file_of(journal().items);
  const std::vector<Line> lines = lines_of(text);
  REQUIRE(lines.size() == 10);
  std::size_t tried = 0;
  for (std::size_t number = 0; number < lines.size(); ++number) {
    const Line& line = lines[number];
    for (std::size_t at = line.begin; at <= line.end; ++at) {
      for (const char to : {static_cast<char>(text[at] ^ 1), static_cast<char>(text[at] ^ 0x20)}) {
        std::string changed = text;
        changed[at] = to;
        ++tried;
        const std::string fault = fault_in_verdict(changed, line, number);
        if (!fault.empty()) FAIL_CHECK("line " << number + 1 << ", octet " << at - line.begin << ": " << fault);
      }
    }
  }
  CHECK(tried == 2 * text.size());
}

TEST_CASE("one octet taken out of or put into a journal file is found, and where") {
  const std::string text = file_of(journal().items);
  const std::vector<Line> lines = lines_of(text);
  for (std::size_t number = 0; number < lines.size(); ++number) {
    const Line& line = lines[number];
    for (std::size_t at = line.begin; at <= line.end; ++at) {
      // The last line feed says nothing.
      const bool last = at + 1 == text.size();
      std::string fault = last ? "" : fault_in_verdict(text.substr(0, at) + text.substr(at + 1), line, number);
      // Between two lines, what is put in belongs to the later one.
      if (fault.empty()) fault = fault_in_verdict(text.substr(0, at) + "7" + text.substr(at), line, number);
      if (!fault.empty()) FAIL_CHECK("line " << number + 1 << ", octet " << at - line.begin << ": " << fault);
    }
  }
}

TEST_CASE("an event taken out is found") {
  for (std::uint64_t sequence = 1; sequence <= 7; ++sequence) {
    std::vector<JournalItem> items = journal().items;
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(index_of(items, sequence)));
    const Verdict verdict = verdict_on({items});
    CAPTURE(text_of(verdict));
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->sequence == sequence);
    CHECK(verdict.problem->fault == (sequence == 1                    ? Fault::start_unfounded
                                     : sequence == 4 || sequence == 7 ? Fault::tail_cut
                                                                      : Fault::events_missing));
  }
}

TEST_CASE("two events swapped are found, whichever") {
  for (std::uint64_t one = 1; one <= 7; ++one) {
    for (std::uint64_t other = one + 1; other <= 7; ++other) {
      std::vector<JournalItem> items = journal().items;
      std::swap(items[index_of(items, one)], items[index_of(items, other)]);
      const Verdict verdict = verdict_on({items});
      CAPTURE(text_of(verdict));
      REQUIRE(verdict.problem);
      CHECK(verdict.problem->sequence == one);
    }
  }
}

TEST_CASE("an event put in is found") {
  for (std::uint64_t sequence = 1; sequence <= 7; ++sequence) {
    std::vector<JournalItem> items = journal().items;
    const auto at = items.begin() + static_cast<std::ptrdiff_t>(index_of(items, sequence));
    EventItem invented = std::get<EventItem>(*at);
    give_to_another_account(invented);
    SUBCASE("before the one of its number") { items.insert(at, invented); }
    SUBCASE("behind the one of its number") { items.insert(at + 1, invented); }
    const Verdict verdict = verdict_on({items});
    CAPTURE(text_of(verdict));
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->fault == Fault::event_repeated);
    CHECK(verdict.problem->sequence == sequence);
  }
}

TEST_CASE("an event put in, and all that follow written anew, is found by the next checkpoint") {
  std::vector<JournalItem> items = journal().items;
  give_to_another_account(event_at(items, 5));
  chain_again(items, 5);
  const Verdict verdict = verdict_on({items});
  REQUIRE(verdict.problem);
  CHECK(verdict.problem->fault == Fault::checkpoint_differs);
  CHECK(verdict.problem->sequence == 5);
  CHECK(verdict.problem->until == 7);
}

TEST_CASE("events cut off at the end are missed by the checkpoint that vouches for them") {
  std::vector<JournalItem> items = journal().items;
  for (std::uint64_t last = 7; last >= 5; --last) {
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(index_of(items, last)));
    const Verdict verdict = verdict_on({items});
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->fault == Fault::tail_cut);
    CHECK(verdict.problem->sequence == last);
  }
  // All of them.
  std::erase_if(items, [](const JournalItem& item) { return std::holds_alternative<EventItem>(item); });
  const Verdict verdict = verdict_on({items}, {}, true);
  REQUIRE(verdict.problem);
  CHECK(verdict.problem->fault == Fault::tail_cut);
}

TEST_CASE("events cut off with their checkpoints, or an older database, are missed by a kept checkpoint") {
  const std::vector<JournalItem> whole = journal().items;
  const std::string last = std::get<CheckpointItem>(whole.back()).jws;
  CHECK(text_of(verdict_on({whole}, {{}, {last}})) == "intact");
  CHECK(verdict_on({whole}, {{}, {last}}).kept_confirmed == 1);
  for (std::size_t size = whole.size() - 2; size > 1; --size) {
    const std::vector<JournalItem> older(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(text_of(verdict_on({older})) == "intact");  // by itself
    const Verdict verdict = verdict_on({older}, {{}, {last}});
    CAPTURE(text_of(verdict));
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->fault == Fault::tail_cut);
    CHECK(verdict.problem->sequence == verdict.last + 1);
  }
}

TEST_CASE("an older database that went on otherwise is told from the one whose checkpoint was kept") {
  JournalMaker other = JournalMaker().key().events(4).checkpoint();
  other.event({EventKind::server_started, Outcome::done, {}, "", "", {}}).events(5).checkpoint();
  CHECK(text_of(verdict_on({other.items})) == "intact");
  const Verdict verdict = verdict_on({other.items}, {{}, {journal().last_jws}});
  REQUIRE(verdict.problem);
  CHECK(verdict.problem->fault == Fault::checkpoint_differs);
  CHECK(verdict.problem->until == 7);
}

TEST_CASE("a kept checkpoint of the same event that is not the journal's own is told") {
  const Checkpoint same{2, 7, journal().head, UnixMillis(std::chrono::milliseconds(1)), kNoPrevious};
  const Verdict verdict = verdict_on({journal().items}, {{}, {sign_checkpoint(same)}});
  REQUIRE(verdict.problem);
  CHECK(verdict.problem->fault == Fault::kept_differs);
}

TEST_CASE("a forged checkpoint is found") {
  std::vector<JournalItem> items = journal().items;
  give_to_another_account(event_at(items, 5));
  chain_again(items, 5);
  const std::string head = hash_of(event_at(items, 7).line);
  auto& last = std::get<CheckpointItem>(items.back());
  const std::string honest = last.jws;
  const Checkpoint forged{2, 7, head, UnixMillis(std::chrono::milliseconds(1'790'000'500'007)),
                          crypto::sha256_hex(std::get<CheckpointItem>(items[5]).jws)};
  Fault expected{};
  SUBCASE("by another key under the same key id") {
    last.jws = sign_checkpoint(forged, checkpoint_signer(1));
    expected = Fault::signature_bad;
  }
  SUBCASE("by another key under its own key id") {
    last.jws = sign_checkpoint(forged, checkpoint_signer(1), "99999999-0000-4000-8000-0123456789ab");
    expected = Fault::key_unknown;
  }
  SUBCASE("with the honest one's signature") {
    const std::string made = sign_checkpoint(forged);
    last.jws = made.substr(0, made.rfind('.')) + honest.substr(honest.rfind('.'));
    expected = Fault::signature_bad;
  }
  SUBCASE("that is no JWS") {
    last.jws = "forged";
    expected = Fault::checkpoint_unreadable;
  }
  SUBCASE("made of something else that the key has signed") {
    last.jws = crypto::sign_jws("hsm-signer-evidence+jws", kOurKey, payload_of(forged), checkpoint_signer(),
                                deadline_in(std::chrono::seconds(10)));
    expected = Fault::checkpoint_unreadable;
  }
  SUBCASE("by a key that was put into the journal for it under the same id") {
    last.jws = sign_checkpoint(forged, checkpoint_signer(1));
    items.insert(items.begin(), JournalMaker().key(kOurKey, checkpoint_signer(1)).items.front());
    expected = Fault::key_contradicted;
  }
  const Verdict verdict = verdict_on({items});
  CAPTURE(text_of(verdict));
  REQUIRE(verdict.problem);
  CHECK(verdict.problem->fault == expected);
  CHECK(verdict.problem->sequence == (expected == Fault::key_contradicted ? 1 : 7));
}

TEST_CASE("a journal forged whole, with a key of its own, is told by the pinned key and by a kept checkpoint") {
  const JournalMaker forged =
      JournalMaker().key(kOurKey, checkpoint_signer(1)).events(7).checkpoint(checkpoint_signer(1));
  // By itself nothing is wrong with it: the key is only known from it.
  const Verdict alone = verdict_on({forged.items});
  CHECK(text_of(alone) == "intact");
  REQUIRE(alone.keys.size() == 1);
  CHECK_FALSE(alone.keys.front().pinned);

  const Verdict pinned = verdict_on({forged.items}, {{checkpoint_signer().public_key()}, {}});
  REQUIRE(pinned.problem);
  CHECK(pinned.problem->fault == Fault::key_unknown);
  const Verdict kept = verdict_on({forged.items}, {{}, {journal().last_jws}});
  REQUIRE(kept.problem);
  CHECK(kept.problem->fault == Fault::signature_bad);
}

TEST_CASE("a checkpoint taken out, moved or repeated is found") {
  std::vector<JournalItem> items =
      JournalMaker().key().events(2).checkpoint().events(2).checkpoint().events(2).checkpoint().items;
  const auto second = items.begin() + 6;
  REQUIRE(std::holds_alternative<CheckpointItem>(*second));
  Fault expected{};
  SUBCASE("taken out") {
    items.erase(second);
    expected = Fault::checkpoints_broken;
  }
  SUBCASE("the first taken out") {
    items.erase(items.begin() + 3);
    expected = Fault::checkpoints_broken;
  }
  SUBCASE("repeated") {
    items.insert(second, *second);
    expected = Fault::checkpoints_broken;
  }
  SUBCASE("too early") {
    std::swap(*second, *(second - 1));
    expected = Fault::tail_cut;
  }
  SUBCASE("too late") {
    std::swap(*second, *(second + 1));
    expected = Fault::checkpoint_misplaced;
  }
  const Verdict verdict = verdict_on({items});
  CAPTURE(text_of(verdict));
  REQUIRE(verdict.problem);
  CHECK(verdict.problem->fault == expected);
}

TEST_CASE("columns that say something else than the line are found") {
  const std::vector<JournalItem> good = with_columns(journal().items);
  for (std::uint64_t sequence = 1; sequence <= 7; ++sequence) {
    for (int column = 0; column < 6; ++column) {
      std::vector<JournalItem> items = good;
      EventColumns& columns = *event_at(items, sequence).columns;
      if (column == 0) columns.sequence += 1;
      if (column == 1) columns.time += 1;
      if (column == 2) columns.kind = "server_started";
      if (column == 3) columns.account += "0";
      if (column == 4) columns.object += "0";
      if (column == 5) columns.hash = kNoPrevious;
      const Verdict verdict = verdict_on({items}, {}, true);
      REQUIRE(verdict.problem);
      CHECK(verdict.problem->fault == Fault::columns_differ);
      CHECK(verdict.problem->sequence == sequence);
    }
  }
}
