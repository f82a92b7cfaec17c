// signed_by external: a signing request, judged by openssl, signed by another authority, completed by an import.
#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include "system/files.h"
#include "system/x509.h"

using namespace system_test;
using test_support::must_run;
using test_support::read_file;

namespace {

Body external(const std::string& name) { return certificate(name).text("signed_by", "external"); }

struct Authority {
  std::string key = new_key("P-256");
  std::string certificate = self_signed(key, "Outside Root", true);

  std::string sign(const std::string& request, const std::string& extensions = "basicConstraints=critical,CA:FALSE\n") {
    return sign_request(request, certificate, key, extensions);
  }
};

const std::string kAuthorityExtensions =
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
    "authorityKeyIdentifier=keyid\n";

Reply remove(const ServerFixture& server, const Json& made) {
  return server.send({"DELETE", "/certificates/" + made["id"].text(), {}, ""});
}

}  // namespace

TEST_CASE("signed_by external makes a key and a signing request, and no certificate") {
  const ServerFixture server;
  int number = 0;
  for (const std::string word : {"external", "EXTERNAL", "External"}) {
    for (const std::string algorithm :
         {R"({"ecdsa_number_of_bits":256})", R"({"ecdsa_number_of_bits":384})", R"({"rsa_number_of_bits":2048})"}) {
      CAPTURE(word);
      CAPTURE(algorithm);
      const std::string name = "request " + std::to_string(++number);
      const Reply reply = server.generate(external(name)
                                              .text("signed_by", word)
                                              .set("algorithm", algorithm)
                                              .text("country_code", "de")
                                              .set("department", R"(["One","Two"])")
                                              .set("hostname", R"(["a.example","*.b.example"])")
                                              .set("ip", R"(["192.0.2.1"])"));
      REQUIRE_MESSAGE(reply.status == 201, reply.body);
      const Json made = reply.json();
      CHECK(made["status"].text() == "pending");
      CHECK_FALSE(made["public_key"].exists());
      CHECK(made["signed_by"].text() == "external");
      CHECK(made["key"]["local"].boolean());
      CHECK(keys_of(server, made) == 1);

      const std::string request = must_export(server, made, "pkcs10");
      const auto verified = test_support::run_command({"openssl", "req", "-verify", "-noout"}, request);
      CAPTURE(verified.out);
      CHECK(verified.exit_code == 0);
      CHECK(verified.out.find("verify OK") != std::string::npos);
      const std::string text = must_run({"openssl", "req", "-noout", "-text", "-nameopt", "RFC2253"}, request);
      CAPTURE(text);
      CHECK(text.find("CN=Test " + name + ",OU=Two,OU=One,C=DE") != std::string::npos);
      CHECK(text.find("DNS:a.example, DNS:*.b.example, IP Address:192.0.2.1") != std::string::npos);
      const std::string judged = must_run({"certtool", "--crq-info"}, request);
      CHECK(judged.find("Self signature: verified") != std::string::npos);
    }
  }
  CHECK(server.keys() == server.rows());
}

TEST_CASE("a request signed by openssl x509 and imported under its name becomes the certificate") {
  const ServerFixture server;
  Authority outside;
  for (const std::string algorithm : {R"({"ecdsa_number_of_bits":256})", R"({"rsa_number_of_bits":2048})"}) {
    CAPTURE(algorithm);
    const std::string name = algorithm.substr(2, 3);
    const Json pending = server.must_generate(external(name).set("algorithm", algorithm));
    const std::string signed_certificate = outside.sign(must_export(server, pending, "pkcs10"));
    const std::size_t keys = server.keys();
    const std::size_t rows = server.rows();

    const Reply reply = import(server, import_body(name, "pem", signed_certificate));
    REQUIRE_MESSAGE(reply.status == 201, reply.body);
    const Json made = reply.json();
    CHECK(made["id"].text() == pending["id"].text());
    CHECK(made["status"].text() == "valid");
    CHECK(made["public_key"].text() == signed_certificate);
    CHECK(made["issuer"].text() == "/CN=Outside Root");
    CHECK(made["key"]["local"].boolean());
    CHECK(made["key"]["never_extractable"].boolean());
    CHECK(made["key"]["id"].text() == pending["key"]["id"].text());
    CHECK(server.get("/certificates/" + made["id"].text()).body == reply.body);
    CHECK(server.keys() == keys);
    CHECK(server.rows() == rows);
    CHECK(keys_of(server, made) == 1);
    CHECK(must_export(server, made, "pem") == signed_certificate);

    // It is no longer open to another answer, and its request can still be had.
    check_error(import(server, import_body(name, "pem", outside.sign(must_export(server, made, "pkcs10")))), 409,
                "E006", "Name Not Unique");
    check_error(import(server, import_body(name, "pem", signed_certificate)), 409, "E016", "Object Not Unique");
  }
}

TEST_CASE("an authority whose request openssl ca has signed issues, and its certificates verify up to the outside") {
  const ServerFixture server;
  Authority outside;
  const Json pending = server.must_generate(external("sub").set("is_certificate_authority", "true"));
  const Reply early = server.generate(certificate("too early").text("signed_by", "sub"));
  CHECK(names_field(check_invalid_object(early), "signed_by"));
  CHECK(server.keys() == 1);

  const test_support::TemporaryDirectory directory;
  directory.write("index.txt", "");
  directory.write("serial", "1000\n");
  const std::string config = directory.write(
      "ca.conf", "[ca]\ndefault_ca=here\n[here]\ndatabase=" + directory.file("index.txt") +
                     "\nserial=" + directory.file("serial") + "\nnew_certs_dir=" + directory.path().string() +
                     "\ndefault_md=sha256\ndefault_days=20\npolicy=policy\nx509_extensions=extensions\n"
                     "[policy]\ncommonName=supplied\n[extensions]\n" +
                     kAuthorityExtensions);
  must_run({"openssl", "ca", "-batch", "-notext", "-config", config, "-cert",
            directory.write("ca.pem", outside.certificate), "-keyfile", directory.write("ca.key", outside.key), "-in",
            directory.write("request.pem", must_export(server, pending, "pkcs10")), "-out", directory.file("sub.pem")});
  const std::string signed_certificate = read_file(directory.file("sub.pem"));

  const Json made = must_import(server, import_body("sub", "pem", signed_certificate));
  CHECK(made["id"].text() == pending["id"].text());
  CHECK(made["ca"].boolean());
  const Json leaf = server.must_generate(certificate("leaf").text("signed_by", "sub"));
  CHECK(verify(leaf["public_key"].text(), signed_certificate, outside.certificate) == "");
}

TEST_CASE("a certificate that is not the request's answer is refused, and the request stays open") {
  const ServerFixture server;
  Authority outside;
  const Json pending = server.must_generate(external("x"));
  const Json other = server.must_generate(external("y"));
  const std::string own_key = new_key("P-256");
  const auto refused = [&](const Body& body, const char* field) {
    const auto sentences = check_invalid_object(import(server, body));
    CHECK_MESSAGE(names_field(sentences, field), sentences.front());
    CHECK(server.get("/certificates/" + pending["id"].text()).json()["status"].text() == "pending");
    CHECK(server.keys() == 2);
    CHECK(server.rows() == 2);
  };
  refused(import_body("x", "pem", self_signed(own_key, "Test x")), "certificate_file");
  refused(import_body("x", "pem", outside.sign(must_export(server, other, "pkcs10"))), "certificate_file");
  refused(import_body("x", "pem", must_export(server, pending, "pkcs10")), "certificate_file");
  // A key has no business here: it is in the token.
  refused(import_body("x", "pem", self_signed(own_key, "Test x"), own_key), "key_file");
  CHECK(import(server, import_body("x", "pem", outside.sign(must_export(server, pending, "pkcs10")))).status == 201);
}

TEST_CASE("a pending request can be exported as a request only") {
  const ServerFixture server;
  const Json pending = server.must_generate(external("x").set("is_block_privateKey", "false"));
  struct Row {
    const char* format;
    const char* passphrase;
  };
  for (const Row& row : {Row{"pem", ""}, Row{"der", ""}, Row{"pkcs12", "long enough"}, Row{"pem", "long enough"}}) {
    CAPTURE(row.format);
    check_error(export_as(server, pending, row.format, row.passphrase), 400, "E003", "Invalid Command");
  }
  check_error(export_as(server, server.must_generate(certificate("self-signed")), "pkcs10"), 400, "E003",
              "Invalid Command");
}

TEST_CASE("a pending request is listed, holds its name and goes with its key") {
  const ServerFixture server;
  const Json pending = server.must_generate(external("x"));
  const Json list = server.get("/certificates?folder=Shared").json();
  REQUIRE(list["total"].integer() == 1);
  CHECK(list["data"].at(0)["status"].text() == "pending");
  CHECK_FALSE(list["data"].at(0)["public_key"].exists());
  const Json by_name = server.get("/certificates?folder=Shared&name=x").json();
  CHECK(by_name["id"].text() == pending["id"].text());
  CHECK(by_name["status"].text() == "pending");
  check_error(server.generate(external("x")), 409, "E006", "Name Not Unique");
  check_error(server.generate(certificate("x")), 409, "E006", "Name Not Unique");

  CHECK(server.keys() == 1);
  const Reply removed = remove(server, pending);
  CHECK(removed.status == 200);
  CHECK(removed.json()["status"].text() == "pending");
  CHECK(server.keys() == 0);
  CHECK(server.rows() == 0);
  CHECK(server.generate(external("x")).status == 201);
}

TEST_CASE("a restart keeps a pending request, and it is completed after it") {
  ServerFixture server;
  Authority outside;
  const Json pending = server.must_generate(external("sub").set("is_certificate_authority", "true"));
  const std::string before = server.get("/certificates/" + pending["id"].text()).body;
  const std::string request = must_export(server, pending, "pkcs10");
  for (const int signal_number : {SIGTERM, SIGKILL}) {
    server.stop(signal_number);
    server.start();
    CHECK(server.get("/certificates/" + pending["id"].text()).body == before);
    CHECK(must_export(server, pending, "pkcs10") == request);
    CHECK(server.keys() == 1);
  }
  const std::string signed_certificate = outside.sign(request, kAuthorityExtensions);
  const Json made = must_import(server, import_body("sub", "pem", signed_certificate));
  CHECK(made["id"].text() == pending["id"].text());
  const Json leaf = server.must_generate(certificate("leaf").text("signed_by", "sub"));
  CHECK(verify(leaf["public_key"].text(), signed_certificate, outside.certificate) == "");
  server.stop(SIGTERM);
  server.start();
  CHECK(server.generate(certificate("leaf 2").text("signed_by", "sub")).status == 201);
  CHECK(server.get("/certificates/" + made["id"].text()).json()["status"].text() == "valid");
}

TEST_CASE("eight imports of the one answer at once: one completes it") {
  const ServerFixture server;
  Authority outside;
  const Json pending = server.must_generate(external("x"));
  const std::string answer = outside.sign(must_export(server, pending, "pkcs10"));
  std::vector<Reply> replies(8);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < replies.size(); ++i) {
      threads.emplace_back([&, i] { replies[i] = import(server, import_body("x", "pem", answer)); });
    }
  }
  int completed = 0;
  for (const Reply& reply : replies) {
    CAPTURE(reply.body);
    CHECK((reply.status == 201 || reply.status == 409));
    completed += reply.status == 201 ? 1 : 0;
  }
  CHECK(completed == 1);
  CHECK(server.keys() == 1);
  CHECK(server.rows() == 1);
}
