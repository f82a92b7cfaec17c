// docs/AUDIT.md is true: its example, its table, and its recipes, which are run as they stand there.
#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "audit/sample_journal.h"
#include "crypto/public_key_info.h"
#include "support/command.h"
#include "support/temporary_directory.h"

namespace {

using namespace hsmsigner;
using namespace hsmsigner::audit;
using namespace test_support;

std::string document() { return read_file(std::string(SOURCE_DIRECTORY) + "/docs/AUDIT.md"); }

// The blocks of that language, in their order.
std::vector<std::string> blocks(const std::string& language) {
  std::vector<std::string> found;
  std::istringstream lines(document());
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (!inside && line == "```" + language) {
      inside = true;
      found.emplace_back();
    } else if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      found.back() += line + "\n";
    }
  }
  return found;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  return all;
}

// What an auditor has in a directory: the export, the key, a checkpoint that was kept.
class Desk {
 public:
  Desk(const std::string& file, const std::string& checkpoint) {
    directory_.write("journal.jsonl", file);
    directory_.write("kept.jws", "an older one\n" + checkpoint + "\n");
    directory_.write("audit.pem", crypto::public_key_pem(checkpoint_signer().public_key()));
    const std::vector<std::string> recipes = blocks("sh");
    REQUIRE(recipes.size() == 2);
    directory_.write("chain", recipes[0]);
    directory_.write("checkpoint", recipes[1]);
  }
  CommandResult run(const std::string& recipe) const {
    return run_command({"sh", "-c", "cd \"$1\" && . ./\"$2\"", "sh", directory_.path().string(), recipe});
  }

 private:
  TemporaryDirectory directory_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

const JournalMaker& journal() {
  static const JournalMaker made = [] {
    JournalMaker maker;
    maker.key().events(3);
    maker.event({EventKind::request_refused, Outcome::refused, {"a\\b", "", "", ""}, "tab\tand\\n", "", {}});
    maker.events(1).checkpoint().events(2);
    return maker;
  }();
  return made;
}

}  // namespace

TEST_CASE("the document's example is two lines as they are written, and their hashes") {
  const std::vector<std::string> json = blocks("json"), text = blocks("text");
  REQUIRE(json.size() == 1);
  REQUIRE(text.size() == 1);
  const std::vector<std::string> lines = lines_of(json.front()), hashes = lines_of(text.front());
  REQUIRE(lines.size() == 2);
  REQUIRE(hashes.size() == 2);
  std::string previous = kNoPrevious;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto event = parse_line(lines[i]);
    REQUIRE(event);
    CHECK(event->sequence == i + 1);
    CHECK(event->previous == previous);
    CHECK(hash_of(lines[i]) == hashes[i]);
    CHECK(must_run({"openssl", "dgst", "-sha256", "-r"}, lines[i]).substr(0, 64) == hashes[i]);
    previous = hashes[i];
  }
}

TEST_CASE("the document's table of kinds is the program's") {
  std::string table;
  for (const EventKindInfo& row : event_kinds()) {
    table +=
        "| `" + std::string(row.name) + "` | " + std::string(row.object) + " | " + std::string(row.meaning) + " |\n";
  }
  const std::string text = document();
  const std::string head = "| kind | `object` | meaning |\n| --- | --- | --- |\n";
  const std::size_t at = text.find(head);
  REQUIRE(at != std::string::npos);
  CHECK(text.substr(at + head.size()) == table);
}

TEST_CASE("the document's recipes follow an intact journal, with a shell and openssl alone") {
  REQUIRE(text_of(verdict_on({journal().items})) == "intact");
  const Desk desk(file_of(journal().items), journal().last_jws);
  const CommandResult chain = desk.run("chain");
  CAPTURE(chain.out);
  CHECK(chain.exit_code == 0);
  CHECK(chain.out == "the chain holds: 7 " + journal().head + "\n");
  // Whatever number begins with a zero octet or a high bit.
  for (int i = 0; i < 20; ++i) {
    const Checkpoint checkpoint{1, 7, journal().head, UnixMillis(std::chrono::milliseconds(i)), kNoPrevious};
    const Desk other(file_of(journal().items), sign_checkpoint(checkpoint));
    REQUIRE(other.run("chain").exit_code == 0);
    const CommandResult verified = other.run("checkpoint");
    CAPTURE(verified.out);
    CHECK(verified.exit_code == 0);
    CHECK(verified.out == "Verified OK\n7 " + journal().head + "\n");
  }
}

TEST_CASE("the document's recipes find what was changed") {
  const std::string file = file_of(journal().items);
  for (const std::string& changed :
       {replaced(file, "192.0.2.7", "192.0.2.8"), replaced(file, "{\"sequence\":3,", "{\"sequence\":4,"),
        replaced(file, "tab", "cab"), replaced(file, "\"}\n{\"sequence\":3", "\" }\n{\"sequence\":3")}) {
    const CommandResult chain = Desk(changed, journal().last_jws).run("chain");
    CAPTURE(chain.out);
    CHECK(chain.exit_code == 1);
    CHECK(chain.out.find("is bad, or the one before") != std::string::npos);
  }
  // A cut end, and another journal: the chain holds, and the checkpoint tells.
  const std::string cut = file.substr(0, file.find("{\"sequence\":5,"));
  const std::string other = file_of(JournalMaker().key().events(6).items);
  for (const std::string& text : {cut, other}) {
    const Desk desk(text, journal().last_jws);
    CHECK(desk.run("chain").exit_code == 0);
    const CommandResult checkpoint = desk.run("checkpoint");
    CAPTURE(checkpoint.out);
    CHECK(checkpoint.exit_code == 1);
    CHECK(checkpoint.out.find("not the journal that this checkpoint is of") != std::string::npos);
  }
  // A checkpoint that somebody else has signed, or none has.
  const Checkpoint checkpoint{1, 7, journal().head, UnixMillis(std::chrono::milliseconds(0)), kNoPrevious};
  std::string unsigned_one = sign_checkpoint(checkpoint);
  unsigned_one[30] = unsigned_one[30] == 'A' ? 'B' : 'A';
  for (const std::string& jws : {sign_checkpoint(checkpoint, checkpoint_signer(1)), unsigned_one}) {
    const Desk desk(file, jws);
    REQUIRE(desk.run("chain").exit_code == 0);
    const CommandResult verified = desk.run("checkpoint");
    CAPTURE(verified.out);
    CHECK(verified.exit_code == 1);
    CHECK(verified.out.find("Verification failure") != std::string::npos);
  }
}
