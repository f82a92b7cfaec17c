// What the report says of journals and service keys that whoever writes the database has forged, and of honest ones.
#include <doctest/doctest.h>

#include "audit/checkpoint.h"
#include "audit/event_line.h"
#include "audit/verifier.h"
#include "base/error.h"
#include "compliance_world.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/public_key_info.h"
#include "support/software_signer.h"

using namespace hsmsigner;
using namespace service_test;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 2) text.insert(at, 1, '\'');
  return "'" + text + "'";
}

// Has a key of its own, and the database.
class Forger {
 public:
  explicit Forger(World& world) : world_(world) {}

  std::string kid() const { return id_.to_string(); }
  std::string fingerprint() const { return crypto::public_key_fingerprint(signer_.public_key()); }

  // As an older key of the service.
  void insert_key() { insert_key(signer_.public_key(), 1); }
  void insert_key(const PublicKey& key, int created_at) {
    world_.sqlite("INSERT INTO audit_key VALUES (" + quoted(kid()) + ", " + quoted(crypto::public_key_pem(key)) + ", " +
                  std::to_string(created_at) + ")");
  }
  // Gives every event to another account, and one to the forged key: the making of it, if `told`.
  void rewrite(bool told) {
    std::vector<audit::Event> events;
    std::vector<UnixMillis> times;
    for (const store::JournalLine& line : world_.database().journal().lines(0, 1000)) {
      const audit::ChainedEvent event = audit::parse_line(line.line).value();
      if (told && events.empty()) {
        events.push_back({.kind = audit::EventKind::audit_key_made, .object = kid()});
        events.back().details = {{audit::kMadeKeyDigest, fingerprint()}};
        times.push_back(event.time);
      }
      events.push_back(event.event);
      events.back().origin.account = "mallory";
      times.push_back(event.time);
    }
    std::string sql = "BEGIN; DELETE FROM event; DELETE FROM checkpoint;";
    head_ = audit::kNoPrevious;
    sequence_ = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const audit::ChainedEvent event{++sequence_, times[i], events[i], head_};
      const std::string line = audit::line_of(event);
      head_ = audit::hash_of(line);
      sql += "INSERT INTO event VALUES (" + std::to_string(sequence_) + ", " +
             std::to_string(event.time.time_since_epoch().count()) + ", " +
             quoted(std::string(audit::info(event.event.kind).name)) + ", 'mallory', " + quoted(event.event.object) +
             ", " + quoted(line) + ", " + quoted(head_) + ");";
    }
    // The forged key's own event has no account.
    if (told) sql += "UPDATE event SET account = '' WHERE sequence = 1;";
    world_.sqlite(sql + "COMMIT;");
  }
  void sign() {
    const audit::Checkpoint checkpoint{1, sequence_, head_, system_now_millis(), audit::kNoPrevious};
    const std::string jws =
        crypto::sign_jws(audit::kCheckpointType, kid(), audit::payload_of(checkpoint), signer_, soon());
    world_.database().journal().add_checkpoint({1, sequence_, checkpoint.time, jws}, soon());
  }

 private:
  World& world_;
  const Uuid id_ = Uuid::random();
  test_support::SoftwareSigner signer_{KeyAlgorithm::ec_p256};
  std::uint64_t sequence_ = 0;
  std::string head_;
};

report::Verdict signed_verdict(World& world) {
  service::Compliance compliance = world.compliance();
  const auth::Caller itself = auth::Caller::service();
  return service::ComplianceReports(compliance, world.audit_key(), world.database().journal())
      .make(service::Actor(itself), report::Format::json, {}, soon())
      .verdict;
}

}  // namespace

TEST_CASE("a journal forged with the database alone does not pass, whoever signs the report") {
  World world;
  world.audit_key();
  world.generate("one");
  world.checkpoint();
  REQUIRE(verdict(world.report(), "LOG-1") == report::Verdict::pass);
  Forger forger(world);
  forger.insert_key();
  SUBCASE("with a key of whose making no event tells") {
    forger.rewrite(false);
    forger.sign();
    const report::Report report = world.report();
    CHECK(verdict(report, "LOG-1") == report::Verdict::fail);
    CHECK(holds(evidence(report, "LOG-1"), forger.kid() + ", of whose making no event tells"));
    CHECK_FALSE(report.facts.journal.last_checkpoint);
    CHECK(verdict(report, "LOG-2") == report::Verdict::attention);
  }
  SUBCASE("with an event of its making, which is forged too") {
    forger.rewrite(true);
    forger.sign();
    report::Report report = world.report();
    REQUIRE(report.facts.journal.check);
    CHECK_MESSAGE(report.facts.journal.check->intact, report.facts.journal.check->finding);
    CHECK(verdict(report, "LOG-1") == report::Verdict::fail);
    CHECK(holds(evidence(report, "LOG-1"), forger.kid() + " (SHA-256 " + forger.fingerprint() + ")"));
    // No checkpoint counts that a key has signed which the token does not have.
    CHECK_FALSE(report.facts.journal.last_checkpoint);
    CHECK(verdict(report, "LOG-2") == report::Verdict::attention);
    // Nor when an honest one follows.
    world.checkpoint();
    report = world.report();
    CHECK(report.facts.journal.keys.size() == 2);
    CHECK(verdict(report, "LOG-1") == report::Verdict::fail);
  }
}

TEST_CASE("a key in the database that is not the token's of that id is told") {
  World world;
  world.audit_key();
  world.checkpoint();
  const test_support::SoftwareSigner other(KeyAlgorithm::ec_p256);
  world.sqlite("UPDATE audit_key SET public_key_pem = " + quoted(crypto::public_key_pem(other.public_key())));
  const report::Report report = world.report();
  CHECK(verdict(report, "LOG-1") == report::Verdict::fail);
  // It is no key of the service's any more, as far as can be told.
  check_only(report.facts.inventory.orphans, hex_id(world.audit_key().current().id), "P-256");
}

TEST_CASE("after a key was lost, its checkpoints cannot be vouched for, and those of the next one can") {
  World world;
  world.generate("one");
  world.checkpoint();
  const std::string lost = world.audit_key().current().id.to_string();
  world.token().destroy(world.audit_key().current().id, soon());
  world.forget_audit_key();
  world.audit_key();
  report::Report report = world.report();
  CHECK(verdict(report, "LOG-1") == report::Verdict::attention);
  CHECK(holds(evidence(report, "LOG-1"), "Key " + lost));
  CHECK(holds(evidence(report, "LOG-1"), "cannot be vouched for by this token"));
  CHECK(verdict(report, "LOG-2") == report::Verdict::attention);
  world.checkpoint();
  report = world.report();
  CHECK(verdict(report, "LOG-1") == report::Verdict::attention);
  CHECK(verdict(report, "LOG-2") == report::Verdict::pass);
  REQUIRE(report.facts.journal.last_checkpoint);
  CHECK(report.facts.journal.last_checkpoint->number == 2);
}

TEST_CASE("the report names the key that signs it, not the newest in the database") {
  World world;
  world.audit_key();
  Forger forger(world);
  forger.insert_key(test_support::SoftwareSigner(KeyAlgorithm::ec_p256).public_key(), 2'000'000'000);
  const report::Report report = world.report();
  REQUIRE(report.facts.audit_key);
  CHECK(report.facts.audit_key->id == world.audit_key().current().id.to_string());
}

TEST_CASE("a row does not make an orphan the service's own key") {
  World world;
  auto orphan = world.token().generate({Uuid::random(), KeyAlgorithm::ec_p256, true}, soon());
  orphan.keep();
  auto rsa = world.token().generate({Uuid::random(), KeyAlgorithm::rsa_1024, true}, soon());
  rsa.keep();
  const test_support::SoftwareSigner other(KeyAlgorithm::ec_p256);
  world.sqlite("INSERT INTO audit_key VALUES (" + quoted(orphan.key()->id().to_string()) + ", " +
               quoted(crypto::public_key_pem(other.public_key())) + ", 1)");
  world.database().accounts().add_access_token_key(
      {rsa.key()->id(), Bytes(128, 0xc3), {1, 0, 1}, system_now(), std::nullopt}, soon());
  CHECK(world.report().facts.inventory.orphans.total() == 2);
  CHECK(world.report().facts.inventory.service_keys == 0);
}

TEST_CASE("the end of the journal that waits too long for a checkpoint is told") {
  World world;
  world.audit_key();
  world.checkpoint();
  world.generate("one");
  CHECK(verdict(world.report(), "LOG-2") == report::Verdict::pass);
  world.later = std::chrono::hours(1);
  const report::Report report = world.report();
  CHECK(verdict(report, "LOG-2") == report::Verdict::attention);
  CHECK(report.facts.journal.waiting >= std::chrono::hours(1));
  // When all is covered, nothing waits, however old the checkpoint is.
  world.checkpoint();
  CHECK(world.report().facts.journal.waiting == seconds(0));
  CHECK(verdict(world.report(), "LOG-2") == report::Verdict::pass);
}

TEST_CASE("a checkpoint is made for a signed report, and over a changed journal the report is made without") {
  World world;
  world.audit_key();
  world.generate("one");
  REQUIRE_FALSE(world.database().journal().last_checkpoint());
  signed_verdict(world);
  const auto made = world.database().journal().last_checkpoint();
  REQUIRE(made);
  // All but the report's own event.
  CHECK(made->sequence + 1 == world.database().journal().head().sequence);

  world.sqlite("UPDATE event SET line = replace(line, 'one', 'uno') WHERE sequence = 2");
  world.sqlite("UPDATE checkpoint SET sequence = 1");
  CHECK(signed_verdict(world) == report::Verdict::fail);
  CHECK(world.database().journal().last_checkpoint()->number == made->number);
}
