// What a certificate, a key and a client authority must be, before the server starts.
#include "tls/context.h"

#include <doctest/doctest.h>
#include <openssl/conf.h>
#include <openssl/ssl.h>

#include "base/error.h"
#include "tls/key_file.h"
#include "tls/test_server.h"

using namespace hsmsigner;
using namespace tls_test;

namespace {

// The first sentence of the fault, "" when there is none.
template <typename Make>
std::string fault_of(Make make) {
  try {
    make();
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_object);
    return error.details().empty() ? "no sentence" : error.details().front();
  }
}

std::string fault_of(const tls::ContextOptions& options) {
  return fault_of([&] { tls::Context context(options); });
}

bool begins(const std::string& text, const std::string& start) { return text.starts_with(start); }

}  // namespace

TEST_CASE("a certificate and its key are taken, EC and RSA, alone and with their issuer") {
  const Authority authority;
  for (const char* algorithm : {"ec", "rsa"}) {
    CAPTURE(algorithm);
    Authority::Wanted wanted;
    wanted.algorithm = algorithm;
    tls::ContextOptions options = options_for(authority.issue("server", wanted));
    CHECK(fault_of(options) == "");
    options.certificate_chain += authority.certificate();
    CHECK(fault_of(options) == "");
  }
}

TEST_CASE("keys of less than 112 bits are refused, whatever the system's configuration of OpenSSL says") {
  const test_support::TemporaryDirectory directory;
  const std::string weak = directory.write("weak",
                                           "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = "
                                           "ours\n[ours]\nCipherString = DEFAULT@SECLEVEL=0\n");
  REQUIRE(CONF_modules_load_file(weak.c_str(), nullptr, 0) == 1);
  SSL_CTX* const any = SSL_CTX_new(TLS_server_method());
  REQUIRE(SSL_CTX_get_security_level(any) == 0);
  SSL_CTX_free(any);
  const Authority authority;
  Authority::Wanted wanted;
  wanted.algorithm = "rsa1024";
  const std::string fault = fault_of(options_for(authority.issue("server", wanted)));
  CHECK_MESSAGE(fault.find("its key is too small") != std::string::npos, fault);
  CONF_modules_unload(1);
}

TEST_CASE("a key that is not the certificate's is refused, naming both settings") {
  const Authority authority;
  tls::ContextOptions options = options_for(authority.issue("server"));
  for (const char* algorithm : {"ec", "rsa"}) {
    CAPTURE(algorithm);
    Authority::Wanted wanted;
    wanted.algorithm = algorithm;
    options.key = tls::key_from_pem(authority.issue("other", wanted).key());
    const std::string fault = fault_of(options);
    CAPTURE(fault);
    CHECK(begins(fault, "tls.key_file: "));
    CHECK(fault.find("tls.certificate_file") != std::string::npos);
  }
}

TEST_CASE("a certificate file without a certificate, or with a broken one, is refused") {
  const Authority authority;
  tls::ContextOptions options = options_for(authority.issue("server"));
  const std::string good = options.certificate_chain;
  for (const std::string& text : {std::string(), std::string("nothing"), authority.issue("other").key(),
                                  good + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    CAPTURE(text);
    options.certificate_chain = text;
    CHECK(begins(fault_of(options), "tls.certificate_file: "));
  }
}

TEST_CASE("certificates in the wrong order are refused, with the right one") {
  const Authority authority;
  const Authority other("Other CA");
  tls::ContextOptions options = options_for(authority.issue("server"));
  options.certificate_chain += other.certificate();
  const std::string fault = fault_of(options);
  CHECK(begins(fault, "tls.certificate_file: certificate 2 "));
  CHECK(fault.find("the order is") != std::string::npos);
}

TEST_CASE("a certificate that clients would refuse is refused at the start") {
  const Authority authority;
  Authority::Wanted small;
  small.algorithm = "rsa1024";
  CHECK(begins(fault_of(options_for(authority.issue("small", small))), "tls.certificate_file: "));
  Authority::Wanted client;
  client.usage = "clientAuth";
  CHECK(begins(fault_of(options_for(authority.issue("client", client))), "tls.certificate_file: "));
}

TEST_CASE("a key file is read in the forms that openssl writes, and an encrypted one is refused") {
  const Authority authority;
  const Authority::Issued issued = authority.issue("server");
  const std::string traditional = test_support::must_run({"openssl", "ec", "-in", issued.key_file});
  CHECK(fault_of([&] { tls::key_from_pem(issued.key()); }) == "");
  CHECK(fault_of([&] { tls::key_from_pem(traditional); }) == "");
  for (const std::vector<std::string>& argv :
       {std::vector<std::string>{"openssl", "pkcs8", "-topk8", "-in", issued.key_file, "-passout", "pass:x"},
        std::vector<std::string>{"openssl", "ec", "-aes128", "-in", issued.key_file, "-passout", "pass:x"}}) {
    const std::string encrypted = test_support::must_run(argv);
    REQUIRE(encrypted.find("ENCRYPTED") != std::string::npos);
    const std::string fault = fault_of([&] { tls::key_from_pem(encrypted); });
    CHECK(begins(fault, "tls.key_file: "));
    CHECK(fault.find("encrypted") != std::string::npos);
  }
  CHECK(begins(fault_of([&] { tls::key_from_pem(issued.certificate()); }), "tls.key_file: "));
}

TEST_CASE("a client authority must be there and be one") {
  const Authority authority;
  tls::ContextOptions options = options_for(authority.issue("server"));
  options.client_certificate = tls::ClientCertificate::optional;
  CHECK(begins(fault_of(options), "tls.client_ca_file: "));
  options.client_ca = authority.issue("leaf").certificate();
  CHECK(begins(fault_of(options), "tls.client_ca_file: "));
  options.client_ca = authority.certificate();
  CHECK(fault_of(options) == "");
}
