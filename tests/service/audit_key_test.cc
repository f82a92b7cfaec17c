// The audit key: made once, found again, made anew when the token lost it. Real token, real database.
#include "service/audit_key.h"

#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "audit/checkpoint.h"
#include "audit/event_line.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "base/error.h"
#include "crypto/jws.h"
#include "crypto/public_key_info.h"
#include "store/store.h"
#include "support/command.h"
#include "support/softhsm.h"

using namespace hsmsigner;
using std::chrono::seconds;

namespace {

constexpr const char* kType = "hsm-signer-test+jws";

Deadline soon() { return deadline_in(seconds(20)); }

class World {
 public:
  World()
      : token_(hsm::Token::open({.module_path = test_support::SoftHsm::module_path(), .selector = {hsm_.label(), ""}},
                                Secret(hsm_.pin()))),
        store_(store::Store::open({.path = directory_.file("store.db")})) {}

  service::AuditKey audit_key() {
    return service::AuditKey(*token_, journal(), store_->certificates(), [this] { return now; });
  }
  hsm::Token& token() { return *token_; }
  store::JournalStore& journal() { return store_->journal(); }
  store::CertificateStore& certificates() { return store_->certificates(); }
  std::size_t keys() { return token_->count_private_keys(soon()); }
  std::vector<audit::Event> events() {
    std::vector<audit::Event> events;
    for (const store::JournalLine& line : journal().lines(0, 1000)) {
      events.push_back(audit::parse_line(line.line).value().event);
    }
    return events;
  }

  void sqlite(const std::string& statement) {
    test_support::must_run({"sqlite3", directory_.file("store.db"), statement});
  }

  UnixTime now = system_now();

 private:
  test_support::SoftHsm hsm_;
  test_support::TemporaryDirectory directory_;
  std::unique_ptr<hsm::Token> token_;
  std::unique_ptr<store::Store> store_;
};

std::string detail(const audit::Event& event, const std::string& name) {
  for (const auto& [key, value] : event.details) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace

TEST_CASE("the audit key is a P-256 key that is made once, and the event tells its public half") {
  World world;
  {
    service::AuditKey key = world.audit_key();
    CHECK_THROWS_AS(key.current(), Error);
    CHECK_THROWS_AS(key.sign(kType, "x", soon()), Error);
    key.ensure(soon());
    key.ensure(soon());
  }
  service::AuditKey again = world.audit_key();
  again.ensure(soon());
  CHECK(world.keys() == 1);
  REQUIRE(world.journal().audit_keys().size() == 1);

  const store::AuditKeyRecord record = again.current();
  CHECK(record.created_at == world.now);
  const PublicKey key = crypto::public_key_from_pem(record.public_key_pem);
  CHECK(std::get<EcPublicKey>(key).curve == KeyAlgorithm::ec_p256);
  const std::vector<audit::Event> events = world.events();
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == audit::EventKind::audit_key_made);
  CHECK(events[0].object == record.id.to_string());
  CHECK(detail(events[0], "algorithm") == "P-256");
  CHECK(detail(events[0], "public_key_sha256") == crypto::public_key_fingerprint(key));
  CHECK(from_base64(detail(events[0], "public_key")) == crypto::public_key_der(key));

  const hsm::KeyAttributes attributes = world.token().attributes(record.id, soon());
  CHECK(attributes.sensitive);
  CHECK_FALSE(attributes.extractable);
  CHECK(attributes.never_extractable);
  CHECK(attributes.local);
}

TEST_CASE("what it signs names it, and verifies under the key that its kid finds") {
  World world;
  service::AuditKey key = world.audit_key();
  key.ensure(soon());
  const std::string jws = key.sign(kType, "what is vouched for", soon());
  const crypto::Jws read = crypto::read_jws(jws);
  CHECK(read.type == kType);
  CHECK(read.payload == "what is vouched for");
  CHECK(read.key_id == key.current().id.to_string());
  const auto pem = key.public_key_pem(read.key_id);
  REQUIRE(pem);
  CHECK(crypto::verifies_jws(jws, crypto::public_key_from_pem(*pem)));
  CHECK_FALSE(key.public_key_pem(Uuid::random().to_string()));
  CHECK_FALSE(key.public_key_pem(""));
}

TEST_CASE("a key that the token lost is replaced, and still verifies what it signed") {
  World world;
  service::AuditKey key = world.audit_key();
  key.ensure(soon());
  const std::string before = key.sign(kType, "x", soon());
  const Uuid old = key.current().id;
  world.token().destroy(old, soon());
  key.ensure(soon());
  CHECK(key.current().id != old);
  CHECK(world.keys() == 1);
  CHECK(world.events().size() == 2);
  const std::string after = key.sign(kType, "x", soon());
  for (const std::string& jws : {before, after}) {
    const auto pem = key.public_key_pem(crypto::read_jws(jws).key_id);
    REQUIRE(pem);
    CHECK(crypto::verifies_jws(jws, crypto::public_key_from_pem(*pem)));
  }
}

TEST_CASE("of two that make one at the same time both sign with one that is known and in the token") {
  World world;
  constexpr int kCount = 4;
  std::vector<std::unique_ptr<service::AuditKey>> keys;
  for (int i = 0; i < kCount; ++i) {
    keys.push_back(
        std::make_unique<service::AuditKey>(world.token(), world.journal(), world.certificates(), system_now));
  }
  {
    std::vector<std::jthread> threads;
    for (const auto& key : keys) threads.emplace_back([&key] { key->ensure(soon()); });
  }
  for (const auto& key : keys) {
    const std::string jws = key->sign(kType, "x", soon());
    const auto pem = key->public_key_pem(crypto::read_jws(jws).key_id);
    REQUIRE(pem);
    CHECK(crypto::verifies_jws(jws, crypto::public_key_from_pem(*pem)));
  }
  // As many keys as records as events; and from the next start on, one for all.
  CHECK(world.keys() == world.journal().audit_keys().size());
  CHECK(world.events().size() == world.keys());
  std::set<std::string> current;
  for (const auto& key : keys) {
    key->ensure(soon());
    current.insert(key->current().id.to_string());
  }
  CHECK(current.size() == 1);
}

TEST_CASE("a journal that cannot be written leaves no key behind") {
  World world;
  service::AuditKey key = world.audit_key();
  world.sqlite("CREATE TRIGGER refusing BEFORE INSERT ON audit_key BEGIN SELECT RAISE(ABORT, 'no'); END");
  CHECK_THROWS_AS(key.ensure(soon()), Error);
  CHECK(world.keys() == 0);
  CHECK(world.events().empty());
  CHECK_THROWS_AS(key.current(), Error);
  world.sqlite("DROP TRIGGER refusing");
  key.ensure(soon());
  CHECK(world.keys() == 1);
  CHECK(world.events().size() == 1);
}

TEST_CASE("a key that only a row of the database calls an audit key does not sign") {
  World world;
  service::AuditKey key = world.audit_key();
  key.ensure(soon());
  const Uuid ours = key.current().id;
  const auto put_in = [&](const Uuid& id, const PublicKey& public_key) {
    world.sqlite("INSERT INTO audit_key (id, public_key_pem, created_at) VALUES ('" + id.to_string() + "', '" +
                 crypto::public_key_pem(public_key) + "', 4000000000)");
  };
  // As whoever writes the database may have it told as well.
  const auto tell = [&](const Uuid& id, const PublicKey& public_key) {
    audit::Event event{.kind = audit::EventKind::audit_key_made, .object = id.to_string()};
    event.details = {{"public_key", to_base64(crypto::public_key_der(public_key))}};
    world.journal().append(event, soon());
  };
  hsm::GeneratedKey other = world.token().generate({Uuid::random(), KeyAlgorithm::ec_p256, true}, soon());
  hsm::GeneratedKey exportable = world.token().generate({Uuid::random(), KeyAlgorithm::ec_p256, false}, soon());
  const auto refused = [&] {
    service::AuditKey again = world.audit_key();
    again.ensure(soon());
    CHECK(again.current().id == ours);
    CHECK(again.is_signed_by_ours(key.sign(kType, "x", soon()), soon()));
    CHECK_FALSE(again.is_signed_by_ours(
        crypto::sign_jws(kType, other.key()->id().to_string(), "x", *other.key(), soon()), soon()));
    CHECK_FALSE(again.is_signed_by_ours(
        crypto::sign_jws(kType, exportable.key()->id().to_string(), "x", *exportable.key(), soon()), soon()));
  };
  SUBCASE("no event tells of it") {
    put_in(other.key()->id(), other.key()->public_key());
    refused();
  }
  SUBCASE("the event tells of another key") {
    put_in(other.key()->id(), other.key()->public_key());
    tell(other.key()->id(), exportable.key()->public_key());
    refused();
  }
  SUBCASE("it can be exported") {
    put_in(exportable.key()->id(), exportable.key()->public_key());
    tell(exportable.key()->id(), exportable.key()->public_key());
    refused();
  }
  SUBCASE("it was made to sign access tokens") {
    put_in(other.key()->id(), other.key()->public_key());
    tell(other.key()->id(), other.key()->public_key());
    service::AuditKey again = world.audit_key();
    again.ensure(soon());
    CHECK(again.current().id == other.key()->id());  // all that is asked holds of it
    audit::Event made{.kind = audit::EventKind::access_token_key_made, .object = other.key()->id().to_string()};
    world.journal().append(made, soon());  // until it is told what it was made for
    refused();
  }
  SUBCASE("it is a certificate's") {
    put_in(other.key()->id(), other.key()->public_key());
    tell(other.key()->id(), other.key()->public_key());
    store::KeyRecord its_key;
    its_key.id = to_hex(other.key()->id().bytes());
    its_key.type = "EC";
    const store::CertificateRecord record{other.key()->id(),
                                          {ContainerKind::folder, "My"},
                                          "card",
                                          "card",
                                          "EC",
                                          false,
                                          "",
                                          "",
                                          "",
                                          "",
                                          {},
                                          {},
                                          "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                                          "",
                                          "0A",
                                          "AA:BB",
                                          {},
                                          "",
                                          "sha256",
                                          {},
                                          {},
                                          its_key,
                                          {}};
    world.certificates().insert(record, soon());
    refused();
  }
  SUBCASE("events are archived, and it never signed a checkpoint") {
    const std::string jws = key.sign(audit::kCheckpointType,
                                     audit::payload_of({1, 1, audit::hash_of(world.journal().lines(0, 1)[0].line),
                                                        system_now_millis(), audit::kNoPrevious}),
                                     soon());
    world.journal().add_checkpoint({1, 1, system_now_millis(), jws}, soon());
    world.journal().remove_archived(1, {.kind = audit::EventKind::journal_archived}, soon());
    put_in(other.key()->id(), other.key()->public_key());
    refused();  // and ours is still taken
  }
}
