// What the verifier says of journals that nobody changed: their keys, their archives, and what it cannot know.
#include "audit/verifier.h"

#include <doctest/doctest.h>

#include "audit/sample_journal.h"
#include "base/error.h"
#include "crypto/jws.h"
#include "crypto/public_key_info.h"

namespace {

using namespace hsmsigner;
using namespace hsmsigner::audit;
using namespace test_support;

// Events 1 to 4, archived; then 5 to 8, of which the first tells of it.
struct Archived {
  JournalMaker archive, database;
};

Event archived_event(const std::string& last) {
  return {EventKind::journal_archived,
          Outcome::done,
          {"local:root", "", "", ""},
          "",
          "",
          {{kArchivedFirst, "1"}, {kArchivedLast, last}, {"checkpoint", "2"}}};
}

Archived archived(const std::string& told = "4") {
  Archived made;
  made.archive.key().events(2).checkpoint().events(2).checkpoint();
  made.database = made.archive;
  // The checkpoints stay in the database, before its first event.
  std::erase_if(made.database.items, [](const JournalItem& item) { return std::holds_alternative<EventItem>(item); });
  made.database.event(archived_event(told)).events(2).checkpoint().events(1);
  return made;
}

}  // namespace

TEST_CASE("an intact journal: what is in it, and what no checkpoint covers yet") {
  const JournalMaker journal = JournalMaker().key().events(4).checkpoint().events(3).checkpoint().events(2);
  const Verdict verdict = verdict_on({journal.items}, {}, true);
  CHECK(text_of(verdict) == "intact");
  CHECK(verdict.first == 1);
  CHECK(verdict.last == 9);
  CHECK(verdict.head == journal.head);
  CHECK(verdict.checkpoints == 2);
  REQUIRE(verdict.last_checkpoint);
  CHECK(verdict.last_checkpoint->sequence == 7);
  CHECK(verdict.uncovered() == 2);
  REQUIRE(verdict.keys.size() == 1);
  CHECK(verdict.keys.front().id == kOurKey);
  CHECK(verdict.keys.front().fingerprint == crypto::public_key_fingerprint(checkpoint_signer().public_key()));
  CHECK(verdict.keys.front().checkpoints == 2);
  CHECK_FALSE(verdict.keys.front().pinned);
}

TEST_CASE("a journal without checkpoints, and an empty one") {
  const Verdict verdict = verdict_on({JournalMaker().events(3).items}, {}, true);
  CHECK(text_of(verdict) == "intact");
  CHECK(verdict.uncovered() == 3);
  CHECK_FALSE(verdict.last_checkpoint);
  const Verdict empty = verdict_on({{}}, {}, true);
  CHECK(text_of(empty) == "intact");
  CHECK(empty.first == 0);
  CHECK(empty.last == 0);
}

TEST_CASE("pinned keys are the only ones that are trusted") {
  const std::string second_key = "99999999-0000-4000-8000-0123456789ab";
  const JournalMaker journal = JournalMaker()
                                   .key()
                                   .key(second_key, checkpoint_signer(1))
                                   .events(2)
                                   .checkpoint()
                                   .events(2)
                                   .checkpoint(checkpoint_signer(1), second_key);
  const PublicKey first = checkpoint_signer().public_key(), second = checkpoint_signer(1).public_key();
  const Verdict both = verdict_on({journal.items}, {{first, second}, {}});
  CHECK(text_of(both) == "intact");
  REQUIRE(both.keys.size() == 2);
  CHECK(both.keys.front().pinned);
  CHECK(both.keys.back().pinned);
  const Verdict one = verdict_on({journal.items}, {{first}, {}});
  REQUIRE(one.problem);
  CHECK(one.problem->fault == Fault::key_unknown);
  CHECK(one.problem->sequence == 4);
  // A pinned key need not be in the journal.
  CHECK(text_of(verdict_on({JournalMaker().events(2).checkpoint().items}, {{first}, {}})) == "intact");
}

TEST_CASE("keys that are none are told") {
  for (const std::string& pem :
       {std::string(), std::string("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
        crypto::public_key_pem(checkpoint_signer().public_key()) + "\n"}) {
    const Verdict verdict = verdict_on({{AuditKeyItem{kOurKey, pem}}});
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->fault == Fault::key_unreadable);
  }
  const std::string pem = crypto::public_key_pem(checkpoint_signer().public_key());
  for (const std::string& id : {std::string(), std::string("a\x1b[2Jb"), std::string(65, 'a'), std::string("é")}) {
    const Verdict verdict = verdict_on({{AuditKeyItem{id, pem}}});
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->fault == Fault::key_unreadable);
    CHECK(verdict.problem->what.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("after an archive, the journal begins behind its checkpoint") {
  const Archived made = archived();
  CHECK(text_of(verdict_on({made.archive.items})) == "intact");
  const Verdict verdict = verdict_on({made.database.items}, {}, true);
  CHECK(text_of(verdict) == "intact");
  CHECK(verdict.first == 5);
  CHECK(verdict.last == 8);
  CHECK(verdict.checkpoints == 3);
  CHECK(verdict.uncovered() == 1);
  CHECK(verdict.start_told == 5);
  CHECK(verdict.start_vouched());
  // Told by an event that no checkpoint covers: anybody who writes the database can do that.
  JournalMaker forged = made.archive;
  std::erase_if(forged.items, [](const JournalItem& item) { return std::holds_alternative<EventItem>(item); });
  forged.event(archived_event("4")).events(2);
  const Verdict unvouched = verdict_on({forged.items}, {}, true);
  CHECK(text_of(unvouched) == "intact");
  CHECK(unvouched.start_told == 5);
  CHECK_FALSE(unvouched.start_vouched());
}

TEST_CASE("an archive and the database are verified as one") {
  const Archived made = archived();
  const Verdict verdict = verdict_on({made.archive.items, made.database.items}, {}, true);
  CHECK(text_of(verdict) == "intact");
  CHECK(verdict.first == 1);
  CHECK(verdict.last == 8);
  CHECK(verdict.checkpoints == 3);

  // An export that goes on after event 3 has no checkpoint before its first event.
  const JournalMaker journal = JournalMaker().key().events(4).checkpoint().events(3).checkpoint();
  const std::vector<JournalItem>& items = journal.items;
  const auto cut = items.begin() + static_cast<std::ptrdiff_t>(index_of(items, 4));
  const std::vector<JournalItem> begin(items.begin(), cut), rest(cut, items.end());
  CHECK(text_of(verdict_on({begin, rest})) == "intact");
  const Verdict alone = verdict_on({rest});
  REQUIRE(alone.problem);
  CHECK(alone.problem->fault == Fault::start_unfounded);
  CHECK(alone.problem->sequence == 1);
}

TEST_CASE("parts that do not fit together are told") {
  const Archived made = archived();
  SUBCASE("one is left out") {
    const Archived other = made;
    std::vector<JournalItem> first(other.archive.items.begin(), other.archive.items.begin() + 4);
    const Verdict verdict = verdict_on({first, made.database.items}, {}, true);
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->sequence == 3);
  }
  SUBCASE("they overlap") {
    const Verdict verdict = verdict_on({made.archive.items, made.archive.items});
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->fault == Fault::events_missing);
  }
  SUBCASE("they are of two journals") {
    JournalMaker other = JournalMaker().key().event({EventKind::server_started, Outcome::done, {}, "", "", {}});
    other.events(1).checkpoint().events(2).checkpoint();
    const Verdict verdict = verdict_on({other.items, made.database.items}, {}, true);
    REQUIRE(verdict.problem);
  }
}

TEST_CASE("events that are gone must have been archived") {
  for (const char* told : {"3", "5", "44", ""}) {
    const Archived made = archived(told);
    const Verdict verdict = verdict_on({made.database.items}, {}, true);
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->fault == Fault::archive_untold);
    CHECK(verdict.problem->sequence == 1);
    CHECK(verdict.problem->until == 4);
    // In a file, the event that tells of it may be later than its end.
    const Verdict file = verdict_on({made.database.items});
    CHECK(text_of(file) == "intact");
    CHECK(file.start_told == 0);
  }
}

TEST_CASE("a journal that begins elsewhere than behind the checkpoint is told") {
  Archived made = archived();
  std::vector<JournalItem>& items = made.database.items;
  const auto first = items.begin() + static_cast<std::ptrdiff_t>(index_of(items, 5));
  SUBCASE("one event later") {
    items.erase(first);
    const Verdict verdict = verdict_on({items}, {}, true);
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->fault == Fault::events_missing);
    CHECK(verdict.problem->sequence == 5);
  }
  SUBCASE("with another event") {
    std::vector<JournalItem> other = JournalMaker(4, std::string(64, 'a')).events(1).items;
    *first = other.front();
    const Verdict verdict = verdict_on({items}, {}, true);
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->fault == Fault::start_unfounded);
    CHECK(verdict.problem->sequence == 5);
  }
  SUBCASE("without any checkpoint") {
    items.erase(items.begin() + 1, first);
    const Verdict verdict = verdict_on({items}, {}, true);
    REQUIRE(verdict.problem);
    CHECK(verdict.problem->fault == Fault::start_unfounded);
  }
}

TEST_CASE("kept checkpoints from before the first event are looked up among the journal's checkpoints") {
  const Archived made = archived();
  const std::string first = std::get<CheckpointItem>(made.archive.items[3]).jws;   // at event 2
  const std::string second = std::get<CheckpointItem>(made.archive.items[6]).jws;  // at event 4
  const Verdict both = verdict_on({made.database.items}, {{}, {second, first}}, true);
  CHECK(text_of(both) == "intact");
  CHECK(both.kept_confirmed == 2);
  CHECK(both.kept_unchecked.empty());

  // A file that has only the last of them cannot tell.
  std::vector<JournalItem> file = made.database.items;
  file.erase(file.begin() + 1);
  const Verdict verdict = verdict_on({file}, {{}, {first, second}});
  CHECK(text_of(verdict) == "intact");
  CHECK(verdict.kept_confirmed == 1);
  CHECK(verdict.kept_unchecked == std::vector<std::uint64_t>{1});

  const Checkpoint other{1, 2, std::string(64, 'a'), UnixMillis(std::chrono::milliseconds(1)), kNoPrevious};
  const Verdict forged = verdict_on({made.database.items}, {{}, {sign_checkpoint(other)}}, true);
  REQUIRE(forged.problem);
  CHECK(forged.problem->fault == Fault::kept_differs);
}

TEST_CASE("a kept checkpoint that is none is an error") {
  CHECK_THROWS_AS(Verifier({{}, {"no JWS"}}), const Error&);
  CHECK_THROWS_AS(Verifier({{},
                            {crypto::sign_jws("another+jws", kOurKey, "{}", checkpoint_signer(),
                                              deadline_in(std::chrono::seconds(10)))}}),
                  const Error&);
}

TEST_CASE("a key that signs checkpoints must have the event of its making, unless the beginning is archived") {
  const std::string stranger = "99999999-0000-4000-8000-0123456789ab";
  JournalMaker journal = JournalMaker().key().events(3).checkpoint();
  journal.items.insert(journal.items.begin(), JournalMaker().key(stranger, checkpoint_signer(1)).items.front());
  REQUIRE(text_of(verdict_on({journal.items})) == "intact");  // it has signed nothing
  journal.events(2).checkpoint(checkpoint_signer(1), stranger).events(1);
  const Verdict verdict = verdict_on({journal.items});
  REQUIRE(verdict.problem);
  CHECK(verdict.problem->fault == Fault::key_untold);
  CHECK(verdict.problem->sequence == 5);
  CHECK(verdict.problem->what.find(stranger) != std::string::npos);
  // Who gives the keys answers for them.
  const PublicKey ours = checkpoint_signer().public_key(), theirs = checkpoint_signer(1).public_key();
  CHECK(text_of(verdict_on({journal.items}, {{ours, theirs}, {}})) == "intact");

  // The event of the making is archived: the database by itself says nothing of it, the whole does.
  const Archived made = archived();
  const Verdict rest = verdict_on({made.database.items}, {}, true);
  CHECK(text_of(rest) == "intact");
  REQUIRE(rest.keys.size() == 1);
  REQUIRE(rest.keys.front().last);
  CHECK(rest.keys.front().last->sequence == 7);
  CHECK(text_of(verdict_on({made.archive.items, made.database.items}, {}, true)) == "intact");
}
