// From settings to TLS: files, and certificates in the store with their keys in the token.
#include "app/tls_setup.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "app/settings.h"
#include "base/error.h"
#include "hsm/token.h"
#include "pki/certificate.h"
#include "store/store.h"
#include "support/softhsm.h"
#include "tls/authority.h"
#include "tls/test_server.h"
#include "tls/token_certificate.h"

using namespace hsmsigner;
using namespace tls_test;

namespace {

struct Fixture {
  Fixture() {
    hsm::TokenOptions token_options;
    token_options.module_path = test_support::SoftHsm::module_path();
    token_options.selector.label = softhsm.label();
    token = hsm::Token::open(token_options, Secret(softhsm.pin()));
    tokens = std::make_unique<service::TokenSet>(*token);
    store::StoreOptions store_options;
    store_options.path = directory.file("store.db");
    store = store::Store::open(store_options);
    settings.server.port = 0;
  }

  // A certificate with its key in the token, as a record of folder Infra.
  Uuid issue(const std::string& name, const Authority& by, std::optional<Uuid> issuer = std::nullopt) {
    const TokenCertificate made(by, *token, KeyAlgorithm::ec_p256, name);
    add(name, made.id, made.pem, issuer, true);
    return made.id;
  }

  Uuid add(const std::string& name, const Uuid& id, const std::string& pem, std::optional<Uuid> issuer, bool has_key) {
    const pki::Certificate certificate = pki::Certificate::from_pem(pem);
    std::optional<store::KeyRecord> key;
    if (has_key) {
      key.emplace();
      key->id = to_hex(id.bytes());
      key->type = "EC";
      key->bits = 256;
      key->token_label = token->info().label;
      key->token_serial = token->info().serial;
    }
    const store::CertificateRecord record{
        .id = id,
        .container = {ContainerKind::folder, "Infra"},
        .name = name,
        .common_name = certificate.common_name(),
        .algorithm = "EC",
        .certificate_authority = certificate.is_certificate_authority(),
        .subject = certificate.subject(),
        .issuer = certificate.issuer(),
        .subject_hash = certificate.subject_hash_old(),
        .issuer_hash = certificate.issuer_hash_old(),
        .not_before = certificate.not_before(),
        .not_after = certificate.not_after(),
        .certificate_pem = pem,
        .request_pem = "",
        .serial_number = certificate.serial_number(),
        .fingerprint_sha256 = certificate.fingerprint_sha256(),
        .issuer_id = issuer,
        .signed_by = issuer ? "issuer" : "",
        .digest = "sha256",
        .alternative_names = {},
        .warnings = {},
        .key = key,
        .created_at = system_now(),
    };
    store->certificates().insert(record, deadline_in(std::chrono::seconds(10)));
    return id;
  }

  AcceptTransport make() { return app::make_transport(settings, *tokens, store->certificates()); }

  std::string fault() {
    try {
      make();
      return "";
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::invalid_object);
      return error.details().empty() ? "no sentence" : error.details().front();
    }
  }

  test_support::TemporaryDirectory directory;
  test_support::SoftHsm softhsm;
  std::unique_ptr<hsm::Token> token;
  std::unique_ptr<service::TokenSet> tokens;
  std::unique_ptr<store::Store> store;
  app::Settings settings = app::default_settings();
};

}  // namespace

TEST_CASE("without settings there is no TLS") {
  Fixture fixture;
  CHECK_FALSE(fixture.make().tls);
}

TEST_CASE("a certificate and a key in files serve") {
  Fixture fixture;
  const Authority authority;
  const Authority::Issued issued = authority.issue("server");
  fixture.settings.tls.certificate_file = issued.certificate_file;
  fixture.settings.tls.key_file = issued.key_file;
  ::chmod(issued.key_file.c_str(), 0600);
  const TestServer server(fixture.make());
  CHECK(curl(authority, {server.url()}).out == "from 127.0.0.1; anonymous");
}

TEST_CASE("a key file that others may read, or that is none, is refused by its setting's name") {
  Fixture fixture;
  const Authority authority;
  const Authority::Issued issued = authority.issue("server");
  fixture.settings.tls.certificate_file = issued.certificate_file;
  fixture.settings.tls.key_file = issued.key_file;
  for (const mode_t mode : {0640U, 0604U, 0660U, 0666U}) {
    ::chmod(issued.key_file.c_str(), mode);
    CHECK(fixture.fault() == "tls.key_file: the file is open to group or others");
  }
  fixture.settings.tls.key_file = fixture.directory.file("absent");
  CHECK(fixture.fault() == "tls.key_file: the file cannot be opened");
  fixture.settings.tls.key_file = fixture.directory.path().string();
  CHECK(fixture.fault() == "tls.key_file: the file is not a regular file");
}

TEST_CASE("a certificate here with its key in the token serves, by id and by name, with its chain but not the root") {
  Fixture fixture;
  const Authority root("Test root");
  const Authority intermediate("Test issuer", root);
  const Uuid root_id = fixture.add("root", Uuid::random(), root.certificate(), std::nullopt, true);
  const Uuid issuer_id = fixture.add("issuer", Uuid::random(), intermediate.certificate(), root_id, true);
  const Uuid own = fixture.issue("server", intermediate, issuer_id);
  for (const std::string& reference : {own.to_string(), std::string("folder:Infra/server")}) {
    CAPTURE(reference);
    fixture.settings.tls.certificate = reference;
    const TestServer server(fixture.make());
    // The client knows the root only.
    CHECK(curl(root, {server.url()}).out == "from 127.0.0.1; anonymous");
    const std::string shown = s_client(root, server.port(), {"-showcerts"}).out;
    std::size_t count = 0;
    for (std::size_t at = shown.find("BEGIN CERT"); at != std::string::npos; at = shown.find("BEGIN CERT", at + 1)) {
      ++count;
    }
    CHECK(count == 2);
  }
}

TEST_CASE("a certificate that is not here, or whose key is not in the token, is refused") {
  Fixture fixture;
  const Authority authority;
  const std::string pem = authority.issue("server").certificate();
  for (const std::string& reference : {Uuid::random().to_string(), std::string("folder:Infra/nothing")}) {
    fixture.settings.tls.certificate = reference;
    CHECK(fixture.fault().starts_with("tls.certificate: there is no such certificate here"));
  }
  fixture.settings.tls.certificate = fixture.add("imported", Uuid::random(), pem, std::nullopt, false).to_string();
  CHECK(fixture.fault() == "tls.certificate: this certificate was imported without its key");
  fixture.settings.tls.certificate =
      fixture.add("gone", Uuid::random(), authority.issue("gone").certificate(), std::nullopt, true).to_string();
  CHECK(fixture.fault() == "tls.certificate: the certificate's key is not in the token");
}

TEST_CASE("client certificates are asked for as the settings say") {
  Fixture fixture;
  const Authority authority;
  const Authority clients("Client CA");
  fixture.settings.tls.certificate = fixture.issue("server", authority).to_string();
  fixture.settings.tls.client_ca_file = clients.certificate_file();
  fixture.settings.tls.client_certificate = tls::ClientCertificate::required;
  Authority::Wanted wanted;
  wanted.usage = "clientAuth";
  const Authority::Issued shown = clients.issue("client", wanted);
  const TestServer server(fixture.make());
  CHECK(curl(authority, {server.url()}).exit_code != 0);
  const auto result = curl(authority, {"--cert", shown.certificate_file, "--key", shown.key_file, server.url()});
  CHECK(result.out.ends_with("/O=Tests/CN=client"));
}
