// Client certificates: who they come from, and what the server then knows.
#include <doctest/doctest.h>

#include "tls/test_server.h"

using namespace hsmsigner;
using namespace tls_test;

namespace {

struct Fixture {
  explicit Fixture(tls::ClientCertificate wanted) : context(options(*this, wanted)), server(context) {}

  static tls::ContextOptions options(const Fixture& fixture, tls::ClientCertificate wanted) {
    tls::ContextOptions options = options_for(fixture.authority.issue("server"));
    options.client_ca = fixture.clients.certificate();
    options.client_certificate = wanted;
    return options;
  }

  test_support::CommandResult get(const Authority::Issued* shown, const std::string& version) const {
    std::vector<std::string> arguments{"--tls-max", version, server.url()};
    if (shown != nullptr) {
      arguments.insert(arguments.end(), {"--cert", shown->certificate_file, "--key", shown->key_file});
    }
    return curl(authority, arguments);
  }

  Authority authority;
  Authority clients{"Client CA"};
  tls::Context context;
  TestServer server;
};

Authority::Issued client(const Authority& from, bool expired = false, const std::string& usage = "clientAuth") {
  Authority::Wanted wanted;
  wanted.usage = usage;
  wanted.expired = expired;
  return from.issue("client", wanted);
}

// As openssl x509 prints it.
std::string fingerprint(const Authority::Issued& issued) {
  std::string text =
      test_support::must_run({"openssl", "x509", "-in", issued.certificate_file, "-noout", "-fingerprint", "-sha256"});
  text.erase(0, text.find('=') + 1);
  text.erase(text.find_last_not_of("\r\n") + 1);
  return text;
}

}  // namespace

TEST_CASE("a client certificate is verified and known by fingerprint and subject, on every request") {
  const Fixture fixture(tls::ClientCertificate::optional);
  const Authority::Issued shown = client(fixture.clients);
  for (const char* version : {"1.2", "1.3"}) {
    CAPTURE(version);
    const auto result = fixture.get(&shown, version);
    CHECK(result.exit_code == 0);
    CHECK(result.out == "from 127.0.0.1; " + fingerprint(shown) + " /O=Tests/CN=client");
  }
}

TEST_CASE("without a certificate a client is anonymous, where it is optional") {
  const Fixture fixture(tls::ClientCertificate::optional);
  for (const char* version : {"1.2", "1.3"}) {
    CHECK(fixture.get(nullptr, version).out == "from 127.0.0.1; anonymous");
  }
}

TEST_CASE("without a certificate a client is refused, where it is required") {
  const Fixture fixture(tls::ClientCertificate::required);
  for (const char* version : {"1.2", "1.3"}) {
    CAPTURE(version);
    const auto result = fixture.get(nullptr, version);
    CHECK(result.exit_code != 0);
    CHECK(result.out.find("alert") != std::string::npos);
  }
  const Authority::Issued shown = client(fixture.clients);
  CHECK(fixture.get(&shown, "1.3").exit_code == 0);
}

TEST_CASE("a certificate from elsewhere, expired or for another purpose is refused, and not taken for none") {
  const Fixture fixture(tls::ClientCertificate::optional);
  const Authority stranger("Client CA");  // the same name, another key
  const Authority::Issued rows[] = {client(stranger), client(fixture.authority), client(fixture.clients, true),
                                    client(fixture.clients, false, "serverAuth")};
  for (const Authority::Issued& shown : rows) {
    for (const char* version : {"1.2", "1.3"}) {
      CAPTURE(version);
      const auto result = fixture.get(&shown, version);
      INFO(result.out);
      CHECK(result.exit_code != 0);
      CHECK(result.out.find("from ") == std::string::npos);
    }
  }
}

TEST_CASE("where no client certificate is asked for, one that is there is not looked at") {
  const Fixture fixture(tls::ClientCertificate::off);
  const Authority::Issued shown = client(fixture.clients);
  CHECK(fixture.get(&shown, "1.3").out == "from 127.0.0.1; anonymous");
}
