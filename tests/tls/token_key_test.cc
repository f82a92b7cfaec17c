// The server's key in the token: handshakes, many at once, and after the token was lost.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "base/error.h"
#include "hsm/tls_key.h"
#include "hsm/token.h"
#include "support/remote_token.h"
#include "support/softhsm.h"
#include "tls/external_key.h"
#include "tls/test_server.h"
#include "tls/token_certificate.h"

using namespace hsmsigner;
using namespace tls_test;

namespace {

std::unique_ptr<hsm::Token> open(const test_support::SoftHsm& softhsm, const std::string& module) {
  hsm::TokenOptions options;
  options.module_path = module;
  options.selector.label = softhsm.label();
  return hsm::Token::open(options, Secret(softhsm.pin()));
}

struct KeyInToken : TokenCertificate {
  KeyInToken(const Authority& authority, hsm::Token& token, KeyAlgorithm algorithm)
      : TokenCertificate(authority, token, algorithm) {
    options.certificate_chain = pem;
    const auto key = std::make_shared<hsm::TlsKey>(token, id, public_key);
    options.key = tls::external_key(
        pem, {[key](Digest digest, ByteView value, Deadline deadline) { return key->sign(digest, value, deadline); },
              [key](ByteView block, Deadline deadline) { return key->transform(block, deadline); }});
  }

  tls::ContextOptions options;
};

bool answered(const Authority& authority, const TestServer& server, const std::string& version) {
  const auto result = curl(authority, {"--tls-max", version, server.url()});
  INFO(result.out);
  CHECK(result.exit_code == 0);
  return result.out == "from 127.0.0.1; anonymous";
}

}  // namespace

TEST_CASE("keys in the token of every kind serve TLS 1.2 and 1.3") {
  const test_support::SoftHsm softhsm;
  const auto token = open(softhsm, test_support::SoftHsm::module_path());
  const Authority authority;
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::ec_p256, KeyAlgorithm::ec_p384, KeyAlgorithm::ec_p521,
                                       KeyAlgorithm::rsa_2048, KeyAlgorithm::rsa_3072}) {
    CAPTURE(info(algorithm).name);
    const KeyInToken key(authority, *token, algorithm);
    const tls::Context context(key.options);
    const TestServer server(context);
    CHECK(answered(authority, server, "1.2"));
    CHECK(answered(authority, server, "1.3"));
  }
}

TEST_CASE("an RSA key in the token signs with PSS and with PKCS#1 v1.5, whichever digest the client names") {
  const test_support::SoftHsm softhsm;
  const auto token = open(softhsm, test_support::SoftHsm::module_path());
  const Authority authority;
  const KeyInToken key(authority, *token, KeyAlgorithm::rsa_2048);
  const tls::Context context(key.options);
  const TestServer server(context);
  struct Row {
    const char* version;
    const char* algorithm;
    const char* kind;
  };
  for (const Row& row : {Row{"-tls1_3", "RSA-PSS+SHA256", "RSA-PSS"}, Row{"-tls1_3", "RSA-PSS+SHA384", "RSA-PSS"},
                         Row{"-tls1_3", "RSA-PSS+SHA512", "RSA-PSS"}, Row{"-tls1_2", "RSA-PSS+SHA256", "RSA-PSS"},
                         Row{"-tls1_2", "RSA-PSS+SHA512", "RSA-PSS"}, Row{"-tls1_2", "RSA+SHA256", "RSA"},
                         Row{"-tls1_2", "RSA+SHA384", "RSA"}, Row{"-tls1_2", "RSA+SHA512", "RSA"}}) {
    CAPTURE(row.version);
    CAPTURE(row.algorithm);
    // The authority's own signature is ECDSA, which must not be ruled out.
    const auto result =
        s_client(authority, server.port(), {row.version, "-sigalgs", std::string(row.algorithm) + ":ECDSA+SHA256"});
    CHECK(result.out.find("HTTP/1.1 200") != std::string::npos);
    CHECK(result.out.find("Peer signature type: " + std::string(row.kind) + "\n") != std::string::npos);
  }
}

TEST_CASE("an EC key in the token signs whichever digest the client names") {
  const test_support::SoftHsm softhsm;
  const auto token = open(softhsm, test_support::SoftHsm::module_path());
  const Authority authority;
  const KeyInToken key(authority, *token, KeyAlgorithm::ec_p256);
  const tls::Context context(key.options);
  const TestServer server(context);
  for (const std::string algorithms : {"ECDSA+SHA256", "ECDSA+SHA384", "ECDSA+SHA512"}) {
    CAPTURE(algorithms);
    const auto result = s_client(authority, server.port(), {"-tls1_2", "-sigalgs", algorithms});
    CHECK(result.out.find("Peer signing digest: " + algorithms.substr(6, 6) + "\n") != std::string::npos);
    CHECK(result.out.find("HTTP/1.1 200") != std::string::npos);
  }
}

TEST_CASE("a key in the token that is not the certificate's is refused at the start") {
  const test_support::SoftHsm softhsm;
  const auto token = open(softhsm, test_support::SoftHsm::module_path());
  const Authority authority;
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::ec_p256, KeyAlgorithm::rsa_2048}) {
    KeyInToken key(authority, *token, algorithm);
    const KeyInToken other(authority, *token, algorithm);
    key.options.certificate_chain = other.options.certificate_chain;
    CHECK_THROWS_AS(tls::Context{key.options}, Error);
  }
}

TEST_CASE("eight handshakes at once with the key in the token") {
  const test_support::SoftHsm softhsm;
  const auto token = open(softhsm, test_support::SoftHsm::module_path());
  const Authority authority;
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::ec_p256, KeyAlgorithm::rsa_2048}) {
    const KeyInToken key(authority, *token, algorithm);
    const tls::Context context(key.options);
    const TestServer server(context);
    std::atomic<int> good = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
          for (int round = 0; round < 5; ++round) {
            const auto result = curl(authority, {server.url()});
            good += result.out == "from 127.0.0.1; anonymous" ? 1 : 0;
          }
        });
      }
    }
    CHECK(good == 40);
  }
}

TEST_CASE("handshakes work again after the token was lost and came back, without a restart") {
  if (const auto reason = test_support::RemoteToken::why_not()) {
    MESSAGE("test skipped: " << *reason);
    return;
  }
  const test_support::SoftHsm softhsm;
  test_support::RemoteToken remote(softhsm);
  const auto token = open(softhsm, test_support::RemoteToken::module_path());
  const Authority authority;
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::ec_p256, KeyAlgorithm::rsa_2048}) {
    const KeyInToken key(authority, *token, algorithm);
    api::ServerOptions options;
    options.read_timeout = std::chrono::seconds(5);
    const tls::Context context(key.options);
    const TestServer server(context, options);
    REQUIRE(answered(authority, server, "1.3"));
    remote.kill();
    const auto began = std::chrono::steady_clock::now();
    CHECK(curl(authority, {server.url()}).exit_code != 0);
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(9));
    remote.start();
    const Deadline deadline = deadline_in(std::chrono::seconds(60));
    bool back = false;
    while (!back && std::chrono::steady_clock::now() < deadline) {
      back = curl(authority, {server.url()}).exit_code == 0;
    }
    CHECK(back);
    for (int i = 0; i < 5; ++i) CHECK(answered(authority, server, i % 2 == 0 ? "1.2" : "1.3"));
  }
}
