// `hsm-signer audit` on a real database, which other programs tamper with.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "audit/sample_journal.h"
#include "crypto/digest.h"
#include "crypto/public_key_info.h"
#include "store/store.h"
#include "support/command.h"
#include "support/temporary_directory.h"

namespace {

using namespace hsmsigner;
using namespace test_support;
namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{30};

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What a service leaves behind, its checkpoints signed by a key in memory.
class Journal {
 public:
  Journal() : store_(store::Store::open({directory.file("journal.sqlite"), 1})) {
    directory.write("hsm-signer.toml", "[token]\nlabel = \"none\"\n[store]\npath = \"journal.sqlite\"\n");
    const PublicKey& key = checkpoint_signer().public_key();
    audit::Event made{.kind = audit::EventKind::audit_key_made, .object = kOurKey};
    made.details = {{audit::kMadeKeyDigest, crypto::public_key_fingerprint(key)}};
    journal().add_audit_key({Uuid::parse(kOurKey).value(), crypto::public_key_pem(key), system_now()}, made,
                            deadline_in(kPatience));
  }

  store::JournalStore& journal() { return store_->journal(); }
  store::JournalHead head() const { return store_->journal().head(); }
  std::string database() const { return directory.file("journal.sqlite"); }
  std::string config() const { return directory.file("hsm-signer.toml"); }

  void events(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      journal().append({.kind = audit::EventKind::certificate_issued,
                        .origin = {"payments", "192.0.2.7", "r", ""},
                        .object = "certificate-" + std::to_string(journal().head().sequence),
                        .container = "folder:Payments",
                        .details = {{"name", "card"}}},
                       deadline_in(kPatience));
    }
  }
  // Returns the JWS.
  std::string checkpoint(const std::string& time = "2026-01-01T00:00:00Z") {
    const store::JournalHead head = journal().head();
    const auto last = journal().last_checkpoint();
    const audit::Checkpoint next{last ? last->number + 1 : 1, head.sequence, head.hash, parse_date_time(time).value(),
                                 last ? crypto::sha256_hex(last->jws) : audit::kNoPrevious};
    const std::string jws = sign_checkpoint(next);
    journal().add_checkpoint({next.number, next.sequence, next.time, jws}, deadline_in(kPatience));
    return jws;
  }

  // As it is now, in a file that is changed by sqlite3.
  std::string copy(const std::string& sql = "") const {
    const std::string path = directory.file("copy.sqlite");
    fs::remove(path);
    must_run({"sqlite3", database(), ".backup '" + path + "'"});
    if (!sql.empty()) must_run({"sqlite3", "-bail", path, sql});
    return path;
  }

  CommandResult audit(const std::string& command, std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), {HSM_SIGNER_BINARY, "audit", command, "--config", config()});
    return run_command(arguments);
  }

  TemporaryDirectory directory;

 private:
  std::unique_ptr<store::Store> store_;
};

CommandResult verify(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {HSM_SIGNER_BINARY, "audit", "verify"});
  return run_command(arguments);
}

// Events 1 to 4, a checkpoint, 5 to 8, a checkpoint, 9.
struct Sample : Journal {
  Sample() {
    events(3);
    first = checkpoint("2026-01-01T00:00:00Z");
    events(4);
    last = checkpoint("2026-02-01T00:00:00Z");
    events(1);
  }
  std::string first, last;
};

}  // namespace

TEST_CASE("an intact journal is verified while the service has it open") {
  const Sample sample;
  for (const CommandResult& result : {sample.audit("verify"), verify({"--database", sample.database()})}) {
    CAPTURE(result.out);
    CHECK(result.exit_code == 0);
    CHECK(result.out.starts_with("intact\nevents       1 to 9\n"));
    CHECK(holds(result.out, "checkpoints  2, the last is number 2 of 2026-02-01T00:00:00.000Z, up to event 8\n"));
    CHECK(holds(result.out, "uncovered    1 event at the end"));
    CHECK(holds(result.out, std::string("key          ") + kOurKey + ", SHA-256 " +
                                crypto::public_key_fingerprint(checkpoint_signer().public_key()) + ", 2 checkpoints"));
    CHECK(holds(result.out, "trusted only as far as this journal"));
  }
}

TEST_CASE("a database changed in any way is told, with the first bad event") {
  const Sample sample;
  const std::string stranger = crypto::public_key_pem(checkpoint_signer(1).public_key());
  struct Row {
    const char* what;
    std::string sql;
    std::string event;
  };
  const std::string swap =
      "CREATE TABLE other AS SELECT * FROM event WHERE sequence IN (6, 7);"
      "UPDATE event SET (line, hash, object, time) = (SELECT line, hash, object, time FROM other WHERE other.sequence "
      "= "
      "13 - event.sequence) WHERE sequence IN (6, 7);";
  for (const Row& row : std::vector<Row>{
           {"an octet", "UPDATE event SET line = replace(line, 'card', 'cord') WHERE sequence = 3", "event 3"},
           {"an octet of the last", "UPDATE event SET line = replace(line, 'card', 'cord') WHERE sequence = 9",
            "event 9"},
           {"a NUL behind the line", "UPDATE event SET line = line || char(0) || 'x' WHERE sequence = 3", "event 3"},
           {"no line", "UPDATE event SET line = '' WHERE sequence = 3", "event 3"},
           {"a long line", "UPDATE event SET line = printf('%.*c', 3000000, 'x') WHERE sequence = 3", "event 3"},
           {"a column", "UPDATE event SET account = 'nobody' WHERE sequence = 4", "event 4"},
           {"a NUL in a column", "UPDATE event SET account = account || char(0) || 'x' WHERE sequence = 4", "event 4"},
           {"a column's kind", "UPDATE event SET kind = 'server_started' WHERE sequence = 4", "event 4"},
           {"a column's time", "UPDATE event SET time = time + 1 WHERE sequence = 4", "event 4"},
           {"a column's object", "UPDATE event SET object = '' WHERE sequence = 4", "event 4"},
           {"a hash", "UPDATE event SET hash = upper(hash) WHERE sequence = 4", "event 4"},
           {"an event taken out", "DELETE FROM event WHERE sequence = 6", "event 6"},
           {"the first taken out", "DELETE FROM event WHERE sequence = 1", "event 1"},
           {"two swapped", swap, "event 6"},
           {"the end cut off", "DELETE FROM event WHERE sequence > 6", "event 7"},
           {"all taken out", "DELETE FROM event", "event"},
           {"the beginning taken out", "DELETE FROM event WHERE sequence <= 4", "one of events 1 to 4"},
           {"renumbered", "UPDATE event SET sequence = 99 WHERE sequence = 9", "event 9"},
           {"an event put in",
            "INSERT INTO event SELECT 10, time, kind, account, object, line, hash FROM event WHERE sequence = 9",
            "event 10"},
           {"a checkpoint taken out", "DELETE FROM checkpoint WHERE number = 1", "event 8"},
           {"a checkpoint changed", "UPDATE checkpoint SET jws = replace(jws, 'A', 'B') WHERE number = 2", "event 8"},
           {"a checkpoint's column", "UPDATE checkpoint SET time = 0 WHERE number = 2", "event 8"},
           {"a checkpoint moved", "UPDATE checkpoint SET sequence = 7 WHERE number = 2", "event 7"},
           {"another key", "UPDATE audit_key SET public_key_pem = '" + stranger + "'", "event 1"},
           {"no key", "DELETE FROM audit_key", "event 4"},
       }) {
    const CommandResult result = verify({"--database", sample.copy(row.sql)});
    CAPTURE(row.what);
    CAPTURE(result.out);
    CHECK(result.exit_code == 1);
    CHECK(result.out.starts_with("tampered: the first bad event is " + row.event));
  }
  CHECK(verify({"--database", sample.copy()}).exit_code == 0);
}

TEST_CASE("a cut end and an older database are told by a checkpoint that was kept") {
  Journal journal;
  journal.events(3);
  journal.checkpoint();
  const std::string older = journal.directory.file("older.sqlite");
  fs::copy_file(journal.copy(), older);
  journal.events(3);
  const CommandResult kept = journal.audit("checkpoint");
  CHECK(kept.out == journal.journal().last_checkpoint()->jws + "\n");
  journal.checkpoint();
  const std::string file = journal.directory.write("kept.jws", kept.out + journal.audit("checkpoint").out);
  const CommandResult both = journal.audit("verify", {"--checkpoint", file});
  CAPTURE(both.out);
  CHECK(both.exit_code == 0);
  CHECK(holds(both.out, "2 kept checkpoints confirmed"));

  const std::string cut = journal.copy("DELETE FROM event WHERE sequence > 5; DELETE FROM checkpoint WHERE number > 1");
  for (const std::string& database : {older, cut}) {
    CHECK(verify({"--database", database}).exit_code == 0);
    const CommandResult result = verify({"--database", database, "--checkpoint", file});
    CAPTURE(result.out);
    CHECK(result.exit_code == 1);
    CHECK(
        result.out.starts_with("tampered: the first bad event is event " + std::string(database == older ? "5" : "6")));
    CHECK(holds(result.out, "its end was cut off, or this is an older state of it"));
  }
}

TEST_CASE("what cannot be read is neither intact nor tampered") {
  const Sample sample;
  const TemporaryDirectory& directory = sample.directory;
  const std::string garbage = directory.write("garbage", std::string(9000, 'x'));
  const std::string good = directory.file("journal.jsonl");
  REQUIRE(sample.audit("export", {"--output", good}).exit_code == 0);
  must_run({"sqlite3", directory.file("foreign.sqlite"), "CREATE TABLE event (line TEXT)"});
  std::ofstream(directory.file("empty"));
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--database", directory.file("none")},
                                             {"--database", directory.path().string()},
                                             {"--database", garbage},
                                             {"--database", directory.file("empty")},
                                             {"--database", directory.file("foreign.sqlite")},
                                             {"--database", sample.copy("DROP TABLE checkpoint")},
                                             {"--database", sample.copy("PRAGMA user_version = 3; DROP TABLE event")},
                                             {"--database", sample.copy("PRAGMA user_version = 999")},
                                             {"--from-file", directory.file("none")},
                                             {"--from-file", directory.path().string()},
                                             {"--from-file", directory.file("empty")},
                                             {"--from-file", good, "--key", garbage},
                                             {"--from-file", good, "--key", directory.file("none")},
                                             {"--from-file", good, "--checkpoint", garbage},
                                             {"--from-file", good, "--checkpoint", directory.file("empty")},
                                             {"--config", directory.file("none.toml")},
                                             {"--config", sample.config(), "--database", sample.database()},
                                             {}}) {
    const CommandResult result = verify(arguments);
    CAPTURE(arguments.empty() ? "" : arguments.back());
    CAPTURE(result.out);
    CHECK(result.exit_code == 2);
    CHECK_FALSE(holds(result.out, "intact\n"));
    CHECK_FALSE(holds(result.out, "tampered"));
  }
  CHECK_FALSE(fs::exists(directory.file("none")));
  // A page of the database that is overwritten, in the middle of it.
  const std::string torn = sample.copy();
  {
    std::fstream file(torn, std::ios::in | std::ios::out | std::ios::binary);
    for (std::uintmax_t at = 4096; at + 4096 <= fs::file_size(torn); at += 4096) {
      file.seekp(static_cast<std::streamoff>(at));
      file << std::string(64, '\xff');
    }
  }
  CHECK(verify({"--database", torn}).exit_code == 2);
}

TEST_CASE("verifying changes nothing in the database") {
  const Sample sample;
  const std::string copy = sample.copy();
  const std::string before = read_file(copy);
  CHECK(verify({"--database", copy}).exit_code == 0);
  CHECK(read_file(copy) == before);
}

TEST_CASE("an export is verified elsewhere, with a pinned key") {
  const Sample sample;
  const std::string ours = crypto::public_key_pem(checkpoint_signer().public_key());
  const std::string key = sample.directory.file("key.pem"), notes = sample.directory.file("notes");
  run_command({"sh", "-c", "\"$0\" audit key --config \"$1\" > \"$2\" 2> \"$3\"", HSM_SIGNER_BINARY, sample.config(),
               key, notes});
  CHECK(read_file(key) == ours);
  CHECK(holds(read_file(notes), std::string("key ") + kOurKey + ", SHA-256 " +
                                    crypto::public_key_fingerprint(checkpoint_signer().public_key()) + "\n"));
  CHECK(holds(read_file(notes), "the database's word"));
  CHECK(sample.audit("key", {"--kid", kOurKey}).out.ends_with(ours));
  CHECK(sample.audit("key", {"--kid", "another"}).exit_code == 2);
  const std::string other =
      sample.directory.write("other.pem", crypto::public_key_pem(checkpoint_signer(1).public_key()));

  const std::string file = sample.directory.file("journal.jsonl");
  REQUIRE(sample.audit("export", {"--output", file}).exit_code == 0);
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(sample.audit("export").out == read_file(file));
  CHECK(sample.audit("export", {"--output", file}).exit_code == 2);  // it is there

  const CommandResult pinned = verify({"--from-file", file, "--key", key, "--key", other});
  CAPTURE(pinned.out);
  CHECK(pinned.exit_code == 0);
  CHECK(holds(pinned.out, "given with --key"));
  CHECK_FALSE(holds(pinned.out, "trusted only"));
  const CommandResult wrong = verify({"--from-file", file, "--key", other});
  CHECK(wrong.exit_code == 1);
  CHECK(holds(wrong.out, "is signed by none of the keys that were given"));

  // In two parts, of which the second is no journal by itself.
  const std::string rest = sample.directory.write("rest.jsonl", sample.audit("export", {"--after", "6"}).out);
  CHECK(holds(read_file(rest), "{\"sequence\":7,"));
  CHECK_FALSE(holds(read_file(rest), "{\"sequence\":6,"));
  CHECK(verify({"--from-file", rest}).exit_code == 1);
  // Behind a checkpoint it is one.
  const std::string behind = sample.directory.write("behind.jsonl", sample.audit("export", {"--after", "4"}).out);
  CHECK(verify({"--from-file", behind}).exit_code == 2);
  CHECK(verify({"--from-file", behind, "--part"}).exit_code == 0);
  // A kept checkpoint from before it cannot be told from it.
  const std::string kept = sample.directory.write("kept.jws", sample.first + "\r\n\n" + sample.last);
  CHECK(verify({"--from-file", behind, "--checkpoint", kept}).exit_code == 0);
}

TEST_CASE("an archive holds the events that are no longer in the database, and both are verified as one") {
  Sample sample;
  const std::string archive = sample.directory.file("january.jsonl");
  const std::string whole = sample.directory.file("whole.jsonl");
  REQUIRE(sample.audit("export", {"--output", whole}).exit_code == 0);

  CHECK(sample.audit("archive", {"--before", "2026-01-01", "--output", archive}).exit_code == 2);
  CHECK(sample.audit("archive", {"--before", "yesterday", "--output", archive}).exit_code == 2);
  CHECK(sample.audit("archive", {"--before", "2026-01-15", "--output", whole}).exit_code == 2);
  CHECK(sample.audit("archive", {"--before", "2026-01-15", "--output", "/none/here"}).exit_code == 2);
  CHECK_FALSE(fs::exists(archive));
  CHECK(sample.journal().first_sequence() == 1);

  const CommandResult made = sample.audit("archive", {"--before", "2026-01-15", "--output", archive});
  CAPTURE(made.out);
  REQUIRE(made.exit_code == 0);
  CHECK(fs::status(archive).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(read_file(whole).starts_with(read_file(archive)));
  CHECK(sample.journal().first_sequence() == 5);
  const auto told =
      audit::parse_line(sample.journal().last_of(audit::EventKind::journal_archived).value().line).value();
  CHECK(told.sequence == 10);
  CHECK(told.event.origin.account.starts_with("local:"));
  const std::string sha256 = must_run({"openssl", "dgst", "-sha256", "-r", archive}).substr(0, 64);
  CHECK(told.event.details == std::vector<std::pair<std::string, std::string>>{
                                  {"first", "1"}, {"last", "4"}, {"checkpoint", "1"}, {"sha256", sha256}});

  CHECK(verify({"--from-file", archive}).exit_code == 0);
  // Until a checkpoint covers the event that tells of it, anybody can have written that.
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{}, {"--part"}}) {
    const CommandResult unvouched = sample.audit("verify", arguments);
    CHECK(unvouched.exit_code == 2);
    CHECK(unvouched.out.starts_with("NOT VOUCHED FOR\nbecause      event 10, which tells"));
  }
  sample.checkpoint("2026-03-01T00:00:00Z");
  const CommandResult rest = sample.audit("verify");
  CAPTURE(rest.out);
  CHECK(rest.exit_code == 2);
  CHECK(holds(rest.out,
              "events       5 to 10\nbefore       events 1 to 4 are archived: not checked here\narchive      "
              "SHA-256 " +
                  sha256 + "\n"));
  CHECK(sample.audit("verify", {"--part"}).exit_code == 0);
  // A checkpoint that was kept from before the archive.
  const std::string kept = sample.directory.write("kept.jws", sample.first);
  CHECK(sample.audit("verify", {"--checkpoint", kept}).exit_code == 0);

  // A second archive, and all three parts as one.
  const std::string next = sample.directory.file("february.jsonl");
  CHECK(sample.audit("archive", {"--before", "2026-02-01T00:00:00.001Z", "--output", next}).exit_code == 0);
  CHECK(verify({"--from-file", next}).exit_code == 2);
  CHECK(verify({"--from-file", next, "--part"}).exit_code == 0);
  const CommandResult both = sample.audit("verify", {"--from-file", archive, "--from-file", next});
  CAPTURE(both.out);
  CHECK(both.exit_code == 0);
  CHECK(holds(both.out, "events       1 to 11\n"));
  sample.checkpoint("2026-03-02T00:00:00Z");
  CHECK(sample.audit("verify", {"--from-file", next}).exit_code == 2);
  CHECK(sample.audit("verify", {"--from-file", next, "--part"}).exit_code == 0);
  const CommandResult gap = sample.audit("verify", {"--from-file", archive});
  CHECK(gap.exit_code == 1);
  CHECK(holds(gap.out, "checkpoint 2 vouches for event 8, and no further one follows event 4"));
  // The archive begins behind the checkpoint that was kept; what goes on after the next one cannot tell of it.
  CHECK(verify({"--from-file", next, "--checkpoint", kept}).exit_code == 0);
  const std::string behind = sample.directory.write("behind.jsonl", sample.audit("export", {"--after", "8"}).out);
  CHECK(verify({"--from-file", behind}).exit_code == 2);
  CHECK(verify({"--from-file", behind, "--part"}).exit_code == 0);
  const CommandResult unchecked = verify({"--from-file", behind, "--checkpoint", kept});
  CHECK(unchecked.exit_code == 2);
  CHECK(holds(unchecked.out, "checkpoint 1 CANNOT BE CHECKED"));

  // Nothing is left under another name.
  for (const auto& entry : fs::directory_iterator(sample.directory.path())) {
    CHECK_FALSE(entry.path().filename().string().starts_with(".hsm-signer-"));
  }
}

TEST_CASE("a beginning that is taken out, with an event that calls it archived, is not vouched for") {
  const Sample sample;
  const store::JournalHead head = sample.head();
  audit::ChainedEvent event{head.sequence + 1, parse_date_time("2026-02-02T00:00:00Z").value(), {}, head.hash};
  event.event.kind = audit::EventKind::journal_archived;
  event.event.details = {{"first", "1"}, {"last", "4"}, {"checkpoint", "1"}, {"sha256", std::string(64, 'a')}};
  const std::string line = audit::line_of(event);
  const std::string forged =
      sample.copy("INSERT INTO event (sequence, time, kind, account, object, line, hash) VALUES (10, " +
                  std::to_string(event.time.time_since_epoch().count()) + ", 'journal_archived', '', '', '" + line +
                  "', '" + audit::hash_of(line) + "'); DELETE FROM event WHERE sequence <= 4");
  const CommandResult result = verify({"--database", forged, "--part"});
  CAPTURE(result.out);
  CHECK(result.exit_code == 2);
  CHECK(result.out.starts_with("NOT VOUCHED FOR\n"));
}

TEST_CASE("a journal without a checkpoint is not vouched for by a key or a kept checkpoint") {
  Journal journal;
  journal.events(3);
  const std::string key = journal.directory.write("key.pem", crypto::public_key_pem(checkpoint_signer().public_key()));
  CHECK(journal.audit("verify").exit_code == 0);
  const CommandResult pinned = journal.audit("verify", {"--key", key});
  CAPTURE(pinned.out);
  CHECK(pinned.exit_code == 2);
  CHECK(pinned.out.starts_with("NOT VOUCHED FOR\nbecause      no checkpoint in it"));
  const std::string kept = journal.directory.write("kept.jws", journal.checkpoint());
  CHECK(journal.audit("verify", {"--key", key, "--checkpoint", kept}).exit_code == 0);
  CHECK(verify({"--database", journal.copy("DELETE FROM checkpoint"), "--checkpoint", kept}).exit_code == 2);
}

TEST_CASE("events that are not intact are not archived") {
  Sample sample;
  must_run({"sqlite3", sample.database(), "UPDATE event SET line = replace(line, 'card', 'cord') WHERE sequence = 3"});
  const std::string archive = sample.directory.file("archive.jsonl");
  const CommandResult result = sample.audit("archive", {"--before", "2026-03-01", "--output", archive});
  CAPTURE(result.out);
  CHECK(result.exit_code != 0);
  CHECK(holds(result.out, "event 3"));
  CHECK_FALSE(fs::exists(archive));
  CHECK(sample.journal().first_sequence() == 1);
  CHECK(sample.journal().head().sequence == 9);
}

TEST_CASE("events that the live copy has not had are not archived") {
  Sample sample;
  sample.directory.write("hsm-signer.toml",
                         "[token]\nlabel = \"none\"\n[store]\npath = \"journal.sqlite\"\n[audit]\nsyslog = "
                         "\"udp:127.0.0.1:514\"\n");
  const std::string archive = sample.directory.file("archive.jsonl");
  sample.journal().set_copied("syslog", 3, deadline_in(kPatience));
  const CommandResult result = sample.audit("archive", {"--before", "2026-01-15", "--output", archive});
  CAPTURE(result.out);
  CHECK(result.exit_code == 2);
  CHECK(holds(result.out, "audit.syslog"));
  sample.journal().set_copied("syslog", 4, deadline_in(kPatience));
  CHECK(sample.audit("archive", {"--before", "2026-01-15", "--output", archive}).exit_code == 0);
}

TEST_CASE("the help of every audit command has an example") {
  for (const char* command : {"verify", "export", "checkpoint", "key", "archive"}) {
    const CommandResult result = run_command({HSM_SIGNER_BINARY, "audit", command, "--help"});
    CHECK(result.exit_code == 0);
    CHECK(holds(result.out, "Example"));
    CHECK(holds(result.out, std::string("\n  hsm-signer audit ") + command));
  }
}
