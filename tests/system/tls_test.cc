// The program over TLS, called by curl: a key from a file, a key in the token, client certificates bound to accounts.
#include <doctest/doctest.h>

#include <csignal>

#include "system/server.h"

using namespace system_test;
using test_support::must_run;
using test_support::run_command;

namespace {

// Files of a little PKI, made by openssl.
class Pki {
 public:
  Pki() {
    make_authority("ca");
    make("server", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
    make("client", "/CN=payments client", "extendedKeyUsage=clientAuth\n");
    make("stranger", "/CN=stranger", "extendedKeyUsage=clientAuth\n");
  }

  std::string file(const std::string& name) const { return directory_.file(name); }
  std::string fingerprint(const std::string& name) const {
    const std::string line =
        must_run({"openssl", "x509", "-in", file(name + ".pem"), "-noout", "-fingerprint", "-sha256"});
    return line.substr(line.find('=') + 1, 95);
  }

 private:
  void make_key(const std::string& name) {
    must_run({"openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", file(name + ".key")});
    must_run({"chmod", "600", file(name + ".key")});
  }
  void make_authority(const std::string& name) {
    make_key(name);
    must_run({"openssl", "req", "-x509", "-key", file(name + ".key"), "-subj", "/CN=Test CA", "-days", "30", "-out",
              file(name + ".pem")});
  }
  void make(const std::string& name, const std::string& subject, const std::string& extensions) {
    make_key(name);
    directory_.write(name + ".ext", extensions);
    const std::string request = must_run(
        {"openssl", "req", "-new", "-key", file(name + ".key"), "-subj", subject, "-out", file(name + ".csr")});
    must_run({"openssl", "x509", "-req", "-in", file(name + ".csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"),
              "-CAcreateserial", "-days", "30", "-extfile", file(name + ".ext"), "-out", file(name + ".pem")});
  }

  test_support::TemporaryDirectory directory_;
};

struct Curl {
  std::string url;
  std::string ca;

  // "STATUS BODY"; "0 …" when there was no answer.
  std::string operator()(const std::string& path, std::vector<std::string> arguments = {}) const {
    std::vector<std::string> argv{"curl", "-sS", "--noproxy",      "*",       "--max-time", "30", "--cacert",
                                  ca,     "-w",  "\n%{http_code}", url + path};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const std::string out = run_command(argv).out;
    const std::size_t end = out.rfind('\n');
    return out.substr(end + 1) + " " + out.substr(0, end);
  }
  std::string authorization(const Account& account) const {
    const std::string answer =
        (*this)("/oauth2/access_token", {"-d", "grant_type=client_credentials", "-d", "client_id=" + account.client_id,
                                         "-d", "client_secret=" + account.client_secret});
    REQUIRE_MESSAGE(answer.starts_with("200 "), answer);
    return "Authorization: Bearer " + Json::parse(answer.substr(4))["access_token"].text();
  }
};

Curl curl_for(const ServerFixture& server, const std::string& ca) {
  return {"https://localhost:" + std::to_string(server.port()), ca};
}

}  // namespace

TEST_CASE("TLS with a key from a file, on every address") {
  const Pki pki;
  ServerOptions options;
  options.settings = {{"tls.certificate_file", quote(pki.file("server.pem"))},
                      {"tls.key_file", quote(pki.file("server.key"))},
                      {"server.address", quote("0.0.0.0")}};
  const ServerFixture server(options);
  CHECK(server.output().find("ready https://0.0.0.0:") != std::string::npos);
  const Curl curl = curl_for(server, pki.file("ca.pem"));
  CHECK(curl("/certificates").starts_with("401 "));
  const std::string authorization = curl.authorization(server.everything());
  CHECK(curl("/certificates", {"-H", authorization}).starts_with("200 "));
  CHECK(curl("/certificates",
             {"-H", authorization, "-H", "Content-Type: application/json", "-d", certificate("over TLS").json()})
            .starts_with("201 "));
  CHECK(curl("/openapi.json", {"--tls-max", "1.2"}).starts_with("200 "));
  CHECK(curl("/openapi.json", {"--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"}).starts_with("000 "));
  // Plain HTTP is not answered.
  CHECK(exchange(server.port(), {"GET", "/openapi.json", {}, ""}).status == 0);
}

TEST_CASE("TLS with a key in the token, whose certificate this very service has issued") {
  ServerFixture server;
  server.must_generate(certificate("root").set("is_certificate_authority", "true").text("common_name", "Own Root"));
  const Json root = server.get("/certificates?folder=Shared&name=root").json();
  const std::string ca = server.state().write("root.pem", root["public_key"].text());
  for (const char* algorithm : {R"({"ecdsa_number_of_bits":256})", R"({"rsa_number_of_bits":2048})"}) {
    CAPTURE(algorithm);
    const std::string name = std::string(algorithm).substr(2, 3);
    server.must_generate(
        certificate(name).set("algorithm", algorithm).text("common_name", "localhost").text("signed_by", "root"));
    CHECK(server.stop(SIGTERM) == 0);
    server.set("tls.certificate", quote("folder:Shared/" + name));
    server.start();
    const Curl curl = curl_for(server, ca);
    const std::string authorization = curl.authorization(server.everything());
    CHECK(curl("/certificates", {"-H", authorization}).starts_with("200 "));
    CHECK(curl("/certificates", {"-H", authorization, "--tls-max", "1.2"}).starts_with("200 "));
    CHECK(server.stop(SIGTERM) == 0);
    server.set("tls.certificate", "");
    server.start();
  }
}

TEST_CASE("a client certificate that is bound to an account needs no token, and gets that account's roles") {
  const Pki pki;
  ServerOptions options;
  options.settings = {{"tls.certificate_file", quote(pki.file("server.pem"))},
                      {"tls.key_file", quote(pki.file("server.key"))},
                      {"tls.client_ca_file", quote(pki.file("ca.pem"))},
                      {"tls.client_certificate", quote("optional")}};
  const ServerFixture server(options);
  server.create_account("payments", {"issuer=folder:Payments"},
                        {"--certificate-fingerprint", pki.fingerprint("client")});
  const Curl curl = curl_for(server, pki.file("ca.pem"));
  const std::vector<std::string> client{"--cert", pki.file("client.pem"), "--key", pki.file("client.key")};
  const auto with = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), client.begin(), client.end());
    return arguments;
  };
  CHECK(curl("/certificates", client).starts_with("200 "));
  const auto post = [&](const std::string& folder) {
    return curl("/certificates",
                with({"-H", "Content-Type: application/json", "-d", certificate("x").text("folder", folder).json()}));
  };
  CHECK(post("Payments").starts_with("201 "));
  CHECK(post("Other").starts_with("403 "));
  CHECK(curl("/accounts", client).starts_with("403 "));

  CHECK(curl("/certificates").find("Not Authenticated") != std::string::npos);
  CHECK(curl("/certificates", {"--cert", pki.file("stranger.pem"), "--key", pki.file("stranger.key")})
            .find("Invalid Credential") != std::string::npos);
  // A token goes before the certificate.
  CHECK(curl("/accounts", with({"-H", curl.authorization(server.everything())})).starts_with("200 "));

  CHECK(server.command({"account", "disable", "payments"}).exit_code == 0);
  CHECK(curl("/certificates", client).find("Invalid Credential") != std::string::npos);
}
