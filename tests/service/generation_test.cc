// What cannot be reached over HTTP: time that passes, and issuers with a path length. Real token, real database.
#include "service/generation.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "base/error.h"
#include "pki/certificate_builder.h"
#include "service/catalogue.h"
#include "service/certificate_facts.h"
#include "service/name_reservations.h"
#include "service/sample_request.h"
#include "store/store.h"
#include "support/softhsm.h"

using namespace hsmsigner;
using service_test::sample_request;
using std::chrono::days;
using std::chrono::seconds;

namespace {

class World {
 public:
  World()
      : token_(hsm::Token::open({.module_path = test_support::SoftHsm::module_path(), .selector = {hsm_.label(), ""}},
                                Secret(hsm_.pin()))),
        database_(store::Store::open({.path = directory_.file("store.db")})),
        store_(&database_->certificates()),
        generation_(tokens_, *store_, names_, policies_, [this] { return now; }) {}

  store::CertificateRecord generate(service::GenerateRequest request) {
    return generation_.generate(auth::Caller::service(), std::move(request), deadline_in(seconds(20)));
  }

  // The faults of a request that must be refused, joined; and that it left nothing.
  std::string refusal(service::GenerateRequest request) {
    const std::size_t keys = token_->count_private_keys(deadline_in(seconds(5)));
    const std::size_t rows = store_->list(ContainerScope::everything(), {}, 0, 1).total;
    std::string text;
    try {
      generate(std::move(request));
      FAIL("was not refused");
    } catch (const Error& error) {
      text = std::string(to_string(error.kind())) + ":";
      for (const std::string& detail : error.details()) text += " " + detail;
    }
    CHECK(token_->count_private_keys(deadline_in(seconds(5))) == keys);
    CHECK(store_->list(ContainerScope::everything(), {}, 0, 1).total == rows);
    return text;
  }

  // A certificate authority with a path length, which the HTTP contract has no field for: as an import would bring it.
  void add_authority(const std::string& name, const store::CertificateRecord* parent, unsigned path_length) {
    auto key = token_->generate({Uuid::random(), KeyAlgorithm::ec_p256, true}, deadline_in(seconds(10)));
    std::optional<pki::Certificate> issuer;
    std::shared_ptr<hsm::TokenKey> signer = key.key();
    if (parent != nullptr) {
      issuer = pki::Certificate::from_pem(parent->certificate_pem);
      signer = token_->key(parent->id, issuer->public_key());
    }
    pki::CertificateSpec spec;
    spec.serial = {1, 2, 3};
    spec.subject.common_name = name;
    spec.certificate_authority = true;
    spec.path_length = path_length;
    spec.not_before = now;
    spec.not_after = now + days(300);
    spec.digest = Digest::sha256;
    const auto certificate = pki::build_certificate(spec, key.key()->public_key(), issuer ? &*issuer : nullptr, *signer,
                                                    deadline_in(seconds(10)));
    store::CertificateRecord record{.id = key.key()->id(),
                                    .container = {ContainerKind::folder, "F"},
                                    .name = name,
                                    .common_name = name,
                                    .algorithm = "EC",
                                    .certificate_authority = true,
                                    .subject = certificate.subject(),
                                    .issuer = certificate.issuer(),
                                    .subject_hash = certificate.subject_hash_old(),
                                    .issuer_hash = certificate.issuer_hash_old(),
                                    .not_before = spec.not_before,
                                    .not_after = spec.not_after,
                                    .certificate_pem = certificate.pem(),
                                    .request_pem = {},
                                    .serial_number = certificate.serial_number(),
                                    .fingerprint_sha256 = certificate.fingerprint_sha256(),
                                    .issuer_id = parent ? std::optional(parent->id) : std::nullopt,
                                    .signed_by = parent ? parent->name : "",
                                    .digest = "sha256",
                                    .alternative_names = {},
                                    .warnings = {},
                                    .key = service::key_record(key.attributes(), token_->info()),
                                    .created_at = now};
    store_->insert(record, deadline_in(seconds(5)));
    key.keep();
  }

  store::CertificateStore& store() { return *store_; }

  UnixTime now = system_now();

 private:
  test_support::SoftHsm hsm_;
  test_support::TemporaryDirectory directory_;
  std::unique_ptr<hsm::Token> token_;
  service::TokenSet tokens_{*token_};
  std::unique_ptr<store::Store> database_;
  store::CertificateStore* store_;
  service::NameReservations names_;
  policy::Policies policies_;
  service::Generation generation_;
};

}  // namespace

TEST_CASE("a path length is used up, on the issuer itself and on an authority above it") {
  World world;
  world.add_authority("limit-1", nullptr, 1);
  const auto below = world.generate(sample_request("below", "limit-1", true));
  CHECK(world.refusal(sample_request("too-deep", "below", true)).find("signed_by: the path length") !=
        std::string::npos);
  CHECK(world.generate(sample_request("leaf", "below")).signed_by == "below");
  world.add_authority("limit-0", &below, 0);
  CHECK(world.refusal(sample_request("too-deep", "limit-0", true)).find("path length") != std::string::npos);
  CHECK(world.generate(sample_request("leaf-2", "limit-0")).issuer == "/CN=limit-0");
}

TEST_CASE("an expired authority signs nothing, also when it was loaded before it expired") {
  World world;
  auto root = sample_request("root", "", true);
  root.days = 2;
  world.generate(root);
  CHECK(world.generate(sample_request("early", "root")).name == "early");
  world.now += days(3);
  CHECK(world.refusal(sample_request("late", "root")) ==
        "invalid_object: signed_by: this certificate authority has expired");
}

TEST_CASE("without a wish the validity is 365 days or what the issuer has left, and a wish beyond it is refused") {
  World world;
  CHECK(world.generate(sample_request("alone")).not_after == world.now + days(365));
  auto root = sample_request("root", "", true);
  root.days = 100;
  const auto issued = world.generate(root);
  world.now += days(10);
  CHECK(world.generate(sample_request("default", "root")).not_after == issued.not_after);
  auto leaf = sample_request("leaf", "root");
  leaf.days = 90;
  CHECK(world.generate(leaf).not_after == issued.not_after);
  leaf.certificate_name = "longer";
  leaf.days = 91;
  CHECK(world.refusal(leaf).find("which has 90 whole days left") != std::string::npos);
}

TEST_CASE("the faults of the form and those of the service come together") {
  World world;
  auto request = sample_request("x", "nobody");
  request.faults = {"locality: must have 1 to 64 characters"};
  const std::string text = world.refusal(request);
  CHECK(text.find("locality: ") != std::string::npos);
  CHECK(text.find("signed_by: no certificate here") != std::string::npos);
}

TEST_CASE("of concurrent requests for one name exactly one is answered, the others are told that it is taken") {
  World world;
  std::atomic<int> issued{0};
  std::atomic<int> taken{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 12; ++i) {
      threads.emplace_back([&] {
        try {
          world.generate(sample_request("same"));
          ++issued;
        } catch (const Error& error) {
          if (error.kind() == ErrorKind::name_not_unique) ++taken;
        }
      });
    }
  }
  CHECK(issued == 1);
  CHECK(taken == 11);
  CHECK(world.store().list(ContainerScope::everything(), {}, 0, 10).total == 1);
}

TEST_CASE("status: notAfter itself is still valid (RFC 5280 4.1.2.5)") {
  World world;
  const auto record = world.generate(sample_request("x"));
  CHECK(service::status_of(record, record.not_after) == "valid");
  CHECK(service::status_of(record, record.not_after + seconds(1)) == "expired");
}
