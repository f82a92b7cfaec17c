// Checkpoints: a real token signs, a real database keeps, and the verifier of `hsm-signer audit verify` judges.
#include "service/checkpoints.h"

#include <doctest/doctest.h>

#include <thread>

#include "audit/event_line.h"
#include "audit/verifier.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/public_key_info.h"
#include "journal_fixture.h"
#include "service/checkpointer.h"
#include "support/command.h"
#include "support/softhsm.h"

using namespace hsmsigner;
using namespace service_test;
using namespace std::chrono_literals;
using service::Checkpointer;
using service::CheckpointPace;
using service::CheckpointRhythm;
using service::Checkpoints;

namespace {

// What the store has, in the order that the verifier wants.
class WholeJournal : public audit::JournalSource {
 public:
  explicit WholeJournal(store::JournalStore& journal) {
    for (const auto& key : journal.audit_keys()) {
      items_.push_back(audit::AuditKeyItem{key.id.to_string(), key.public_key_pem});
    }
    const auto checkpoints = journal.checkpoints(0, 10'000);
    auto next = checkpoints.begin();
    for (const auto& line : journal.lines(0, 1'000'000)) {
      for (; next != checkpoints.end() && next->sequence < line.sequence; ++next) {
        items_.push_back(audit::CheckpointItem{next->jws, {}});
      }
      items_.push_back(audit::EventItem{line.line, {}});
      for (; next != checkpoints.end() && next->sequence == line.sequence; ++next) {
        items_.push_back(audit::CheckpointItem{next->jws, {}});
      }
    }
    for (; next != checkpoints.end(); ++next) items_.push_back(audit::CheckpointItem{next->jws, {}});
  }
  std::optional<audit::JournalItem> next() override {
    if (at_ == items_.size()) return std::nullopt;
    return items_[at_++];
  }
  std::string place() const override { return "item " + std::to_string(at_); }
  bool is_whole() const override { return true; }

 private:
  std::vector<audit::JournalItem> items_;
  std::size_t at_ = 0;
};

struct Fixture : JournalFixture {
  test_support::SoftHsm hsm;
  std::unique_ptr<hsm::Token> token = hsm::Token::open(
      {.module_path = test_support::SoftHsm::module_path(), .selector = {hsm.label(), ""}}, Secret(hsm.pin()));
  service::AuditKey key{*token, journal, opened->certificates(), system_now};
  Checkpoints checkpoints{watched, key};

  Fixture() { key.ensure(soon()); }

  audit::Verdict verdict() {
    audit::Verifier verifier({});
    WholeJournal source(journal);
    verifier.read(source);
    return verifier.finish();
  }
  // What the verifier has to say of it; "" for an intact one.
  std::string problem() {
    const audit::Verdict result = verdict();
    return result.problem ? result.problem->what : "";
  }
  std::vector<audit::Checkpoint> made_checkpoints() {
    std::vector<audit::Checkpoint> made_ones;
    for (const auto& record : journal.checkpoints(0, 1000)) {
      const crypto::Jws jws = crypto::read_jws(record.jws);
      CHECK(jws.type == audit::kCheckpointType);
      CHECK(crypto::verifies_jws(record.jws, crypto::public_key_from_pem(key.public_key_pem(jws.key_id).value())));
      made_ones.push_back(audit::parse_checkpoint(jws.payload).value());
      CHECK(made_ones.back().number == record.number);
      CHECK(made_ones.back().sequence == record.sequence);
      CHECK(made_ones.back().time == record.time);
    }
    return made_ones;
  }
  std::string refusal() { return refusal_of(checkpoints); }
  std::string refusal_of(Checkpoints& which) {
    try {
      which.make(soon());
      return "made";
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::internal_error);
      return error.details().at(0);
    }
  }
  void sqlite(const std::string& statement) {
    test_support::must_run({"sqlite3", "-cmd", ".timeout 10000", directory.file("db"), statement});
  }
};

CheckpointPace quick() {
  CheckpointPace pace;
  pace.look = 5ms;
  pace.first_wait = 10ms;
  pace.longest_wait = 40ms;
  pace.one_try = 5s;
  return pace;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "checkpoints cover the head, follow each other, and there is none where nothing happened") {
  // The key's own event is the first.
  const auto first = checkpoints.make(soon());
  REQUIRE(first.has_value());
  CHECK(first->number == 1);
  CHECK(first->sequence == 1);
  CHECK_FALSE(checkpoints.make(soon()).has_value());
  add_events(5);
  REQUIRE(checkpoints.make(soon()).has_value());
  add_events(1200);  // more than one page
  REQUIRE(checkpoints.make(soon()).has_value());
  CHECK_FALSE(checkpoints.make(soon()).has_value());

  const std::vector<audit::Checkpoint> made_ones = made_checkpoints();
  const auto records = journal.checkpoints(0, 10);
  const std::vector<std::string> all = lines();
  REQUIRE(made_ones.size() == 3);
  const std::uint64_t covered[] = {1, 6, 1206};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(made_ones[i].sequence == covered[i]);
    CHECK(made_ones[i].head == audit::hash_of(all[covered[i] - 1]));
    CHECK(made_ones[i].previous == (i == 0 ? audit::kNoPrevious : crypto::sha256_hex(records[i - 1].jws)));
  }
  const audit::Verdict result = verdict();
  CHECK_FALSE(result.problem.has_value());
  CHECK(result.checkpoints == 3);
  CHECK(result.uncovered() == 0);
}

TEST_CASE_FIXTURE(Fixture, "another process that is faster: its checkpoint counts, and the next one follows it") {
  Checkpoints other(journal, key);
  add_events(3);
  int times = 0;
  watched.before_add_checkpoint = [&] {
    if (++times == 1) REQUIRE(other.make(soon()).has_value());
  };
  CHECK_FALSE(checkpoints.make(soon()).has_value());
  times = 0;
  add_events(1);
  watched.before_add_checkpoint = [&] {
    if (++times != 1) return;
    REQUIRE(other.make(soon()).has_value());
    add_events(1);
  };
  const auto made_one = checkpoints.make(soon());
  REQUIRE(made_one.has_value());
  CHECK(made_one->number == 3);
  CHECK(problem() == "");
  CHECK(verdict().uncovered() == 0);
}

TEST_CASE_FIXTURE(Fixture, "several at once make one chain") {
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Checkpoints mine(journal, key);
      for (int round = 0; round < 10; ++round) {
        journal.append(sample_event("x"), soon());
        try {
          mine.make(soon());
        } catch (const Error& error) {
          // All attempts lost against the others.
          if (error.kind() != ErrorKind::object_not_unique) ++failures;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  checkpoints.make(soon());
  CHECK(problem() == "");
  CHECK(verdict().uncovered() == 0);
}

TEST_CASE_FIXTURE(Fixture, "no checkpoint over a journal that does not continue from the last one") {
  add_events(5);
  REQUIRE(checkpoints.make(soon()).has_value());  // events 1 to 6
  SUBCASE("cut off below it") {
    sqlite("DELETE FROM event WHERE sequence > 4");
    CHECK(refusal() == "journal: it ends at event 4, and not as checkpoint 1 says, which covers it up to event 6");
    add_events(3);  // it grows again, beyond the checkpoint
    CHECK(refusal() == "journal: event 6 is not the one that checkpoint 1 was made of");
    Checkpoints started_again(journal, key);
    CHECK(refusal_of(started_again) == "journal: event 7 does not follow from the one before");
  }
  SUBCASE("its last event is another") {
    sqlite("DELETE FROM event WHERE sequence = 6");
    add_events(1);
    CHECK(refusal() == "journal: event 6 is not the one that checkpoint 1 was made of");
    Checkpoints started_again(journal, key);
    CHECK(refusal_of(started_again) ==
          "journal: it ends at event 6, and not as checkpoint 1 says, which covers it up to event 6");
  }
  SUBCASE("an event since then was changed") {
    add_events(3);
    sqlite("UPDATE event SET line = replace(line, 'issuer-1', 'issuer-2') WHERE sequence = 8");
    CHECK(refusal() == "journal: event 9 does not follow from the one before");
  }
  SUBCASE("an event since then was made nonsense") {
    add_events(3);
    sqlite("UPDATE event SET line = 'x' WHERE sequence = 8");
    CHECK(refusal() == "journal: event 8 does not follow from the one before");
  }
  SUBCASE("the last event was changed, its hash was not") {
    add_events(3);
    sqlite("UPDATE event SET line = replace(line, 'issuer-1', 'issuer-2') WHERE sequence = 9");
    CHECK(refusal() == "journal: its head is not the hash of event 9");
  }
  SUBCASE("an event since then was taken out") {
    add_events(3);
    sqlite("DELETE FROM event WHERE sequence = 8");
    CHECK(refusal() == "journal: event 8 is missing");
  }
  SUBCASE("the checkpoint was changed") {
    add_events(1);
    sqlite("UPDATE checkpoint SET sequence = 5");
    CHECK(refusal() == "journal: checkpoint 1 is not as it was made");
    sqlite("UPDATE checkpoint SET sequence = 6, jws = 'e30.e30.AA'");
    CHECK(refusal() == "journal: checkpoint 1 is not as it was made");
  }
  CHECK(journal.checkpoints(0, 10).size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "no checkpoint over a journal that was written anew beside this process") {
  add_events(2);
  REQUIRE(checkpoints.make(soon()).has_value());  // events 1 to 3
  add_events(5);
  REQUIRE(checkpoints.make(soon()).has_value());  // to 8
  const std::vector<std::string> before = lines();
  // Without event 6, chained anew as anybody can who writes the database.
  const auto write_anew = [&] {
    std::string sql, previous = audit::hash_of(before[4]);
    for (std::size_t i = 6; i < before.size(); ++i) {
      audit::ChainedEvent event = audit::parse_line(before[i]).value();
      --event.sequence;
      event.previous = previous;
      const std::string line = audit::line_of(event);
      previous = audit::hash_of(line);
      sql += "UPDATE event SET line = '" + line + "', hash = '" + previous +
             "' WHERE sequence = " + std::to_string(event.sequence) + ";";
    }
    sqlite(sql + "DELETE FROM event WHERE sequence = 8");
  };
  SUBCASE("with the checkpoints since then taken out") {
    write_anew();
    sqlite("DELETE FROM checkpoint WHERE number >= 2");
    add_events(1);
    CHECK(problem() == "");  // nothing but this process knows
    for (int times = 0; times < 2; ++times) {
      CHECK(refusal() == "journal: checkpoint 2, which this process knows, is not there any more");
    }
    CHECK(journal.checkpoints(0, 10).size() == 1);
    CHECK_THROWS_AS(checkpoints.covered(soon()), Error);
    // It is this process that knows it: the next one is told by kept checkpoints alone.
    Checkpoints next(journal, key);
    CHECK(next.make(soon()).has_value());
    // And then it stands otherwise under the same number.
    CHECK(refusal() == "journal: checkpoint 2, which this process knows, is not there any more");
  }
  SUBCASE("with all of them taken out") {
    write_anew();
    sqlite("DELETE FROM checkpoint");
    CHECK(refusal() == "journal: checkpoint 2, which this process knows, is not there any more");
  }
  SUBCASE("with the checkpoints left") {
    write_anew();
    add_events(2);
    CHECK(refusal() == "journal: event 8 is not the one that checkpoint 2 was made of");
  }
  SUBCASE("with a checkpoint put behind it that no key of ours has signed") {
    add_events(1);
    const std::string last = journal.checkpoints(1, 1).at(0).jws;
    const std::string payload =
        audit::payload_of({3, 9, audit::hash_of(lines().back()), system_now_millis(), crypto::sha256_hex(last)});
    hsm::GeneratedKey other = token->generate({Uuid::random(), KeyAlgorithm::ec_p256, false}, soon());
    const Uuid id = other.key()->id();
    const std::string forged = crypto::sign_jws(audit::kCheckpointType, id.to_string(), payload, *other.key(), soon());
    journal.add_checkpoint({3, 9, audit::parse_checkpoint(payload)->time, forged}, soon());
    CHECK(refusal() == "journal: checkpoint 3 does not follow from the one before");
    sqlite("INSERT INTO audit_key (id, public_key_pem, created_at) VALUES ('" + id.to_string() + "', '" +
           crypto::public_key_pem(other.key()->public_key()) + "', 1)");
    CHECK(refusal() == "journal: checkpoint 3 does not follow from the one before");
  }
}

TEST_CASE_FIXTURE(Fixture, "a checkpoint that was only seen is known as well") {
  add_events(2);
  REQUIRE(checkpoints.make(soon()).has_value());
  Checkpoints other(journal, key);
  CHECK(other.covered(soon()) == 3);
  sqlite("DELETE FROM checkpoint");
  CHECK_THROWS_AS(other.make(soon()), Error);
}

TEST_CASE_FIXTURE(Fixture, "after events were archived the next checkpoint still follows") {
  add_events(5);
  REQUIRE(checkpoints.make(soon()).has_value());
  audit::Event archived{audit::EventKind::journal_archived, {}, {}, {}, {}, {}};
  archived.details = {{audit::kArchivedFirst, "1"}, {audit::kArchivedLast, "6"}};
  journal.remove_archived(6, archived, soon());
  const auto made_one = checkpoints.make(soon());
  REQUIRE(made_one.has_value());
  CHECK(made_one->sequence == 7);
  CHECK(problem() == "");
  // Another process makes a checkpoint and archives beyond the one that is known here.
  add_events(3);
  Checkpoints other(journal, key);
  REQUIRE(other.make(soon()).has_value());  // to 10
  archived.details = {{audit::kArchivedFirst, "7"}, {audit::kArchivedLast, "10"}};
  journal.remove_archived(10, archived, soon());
  const auto next = checkpoints.make(soon());
  REQUIRE(next.has_value());
  CHECK(next->sequence == 11);
}

TEST_CASE_FIXTURE(Fixture, "the thread: after so many events") {
  CheckpointRhythm rhythm;
  rhythm.events = 10;
  rhythm.interval = std::chrono::hours(1);
  REQUIRE(checkpoints.make(soon()).has_value());
  Checkpointer checkpointer(checkpoints, watched, rhythm, {}, quick());
  add_events(9);
  std::this_thread::sleep_for(100ms);
  CHECK(journal.checkpoints(0, 10).size() == 1);
  add_events(1);
  CHECK(eventually([&] { return journal.checkpoints(0, 10).size() == 2; }));
  add_events(3);
  std::this_thread::sleep_for(50ms);
  CHECK(checkpointer.finish(soon()));  // and the rest at the end
  CHECK(journal.checkpoints(0, 10).size() == 3);
  CHECK(verdict().uncovered() == 0);
}

TEST_CASE_FIXTURE(Fixture, "the thread: after so long, and none without an event") {
  CheckpointRhythm rhythm;
  rhythm.events = 1000;
  rhythm.interval = 1s;
  std::atomic<int> looks{0};
  Checkpointer checkpointer(
      checkpoints, watched, rhythm, [&] { ++looks; }, quick());
  CHECK(eventually([&] { return journal.checkpoints(0, 10).size() == 1; }));
  std::this_thread::sleep_for(1200ms);
  CHECK(journal.checkpoints(0, 10).size() == 1);
  add_events(2);
  CHECK(eventually([&] { return journal.checkpoints(0, 10).size() == 2; }));
  CHECK(looks > 2);
  CHECK(checkpointer.finish(soon()));
  CHECK(journal.checkpoints(0, 10).size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "the thread: what fails is tried again, and holds up no event") {
  CheckpointRhythm rhythm;
  rhythm.events = 1;
  std::atomic<int> tries{0};
  watched.before_add_checkpoint = [&] {
    if (++tries <= 3) throw Error(ErrorKind::journal_unavailable, {"journal: the disk is full"});
  };
  const auto gathered = [] { throw Error(ErrorKind::journal_unavailable, {"journal: the disk is full"}); };
  Checkpointer checkpointer(checkpoints, watched, rhythm, gathered, quick());
  add_events(2);
  CHECK(eventually([&] { return tries >= 4; }));
  CHECK(checkpointer.finish(soon()));
  CHECK(problem() == "");
  CHECK(verdict().uncovered() == 0);
}

TEST_CASE_FIXTURE(Fixture, "the thread: an end without a key that signs comes by its deadline and tells") {
  service::AuditKey none(*token, journal, opened->certificates(), system_now);  // never ensured
  Checkpoints powerless(watched, none);
  CheckpointRhythm rhythm;
  rhythm.events = 1;
  Checkpointer checkpointer(powerless, watched, rhythm, {}, quick());
  add_events(1);
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(checkpointer.finish(deadline_in(500ms)));
  CHECK(std::chrono::steady_clock::now() - begin < 10s);
  CHECK(journal.checkpoints(0, 10).empty());
}
