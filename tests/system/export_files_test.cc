// POST /certificates/{id}:export: files that other programs open, keys that are the certificate's, and the block.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <regex>
#include <thread>

#include "system/cryptoki.h"
#include "system/files.h"
#include "system/x509.h"

using namespace system_test;
using test_support::CommandResult;
using test_support::must_run;
using test_support::read_file;
using test_support::run_command;
using test_support::TemporaryDirectory;

namespace {

constexpr const char* kPassphrase =
    "corr\xc3\xa9"
    "ct horse";  // not only ASCII
constexpr const char* kAsciiPassphrase = "correct horse";

Json open_certificate(const ServerFixture& server, const std::string& name, const std::string& algorithm) {
  return server.must_generate(certificate(name).set("algorithm", algorithm).set("is_block_privateKey", "false"));
}

const std::vector<std::string> kAlgorithms = {R"({"rsa_number_of_bits":2048})", R"({"ecdsa_number_of_bits":256})",
                                              R"({"ecdsa_number_of_bits":384})"};

std::string password_argument(const std::string& passphrase) { return "pass:" + passphrase; }

// "" if the key signs what the certificate verifies, by openssl alone.
std::string why_not_key_of(const std::string& key_pem, const std::string& certificate_pem) {
  const TemporaryDirectory directory;
  const std::string data = directory.write("data", "to be signed");
  const std::string signature = directory.file("signature");
  const CommandResult made = run_command(
      {"openssl", "dgst", "-sha256", "-sign", directory.write("key.pem", key_pem), "-out", signature, data});
  if (made.exit_code != 0) return made.out;
  const CommandResult verified = run_command({"openssl", "dgst", "-sha256", "-verify",
                                              directory.write("public.pem", public_key_of_certificate(certificate_pem)),
                                              "-signature", signature, data});
  return verified.exit_code == 0 ? "" : verified.out;
}

// The certificate and the key in a PKCS#12 file, as openssl takes them out.
std::string opened(const std::string& p12, const std::string& passphrase, const std::vector<std::string>& what) {
  std::vector<std::string> command = {"pkcs12", "-passin", password_argument(passphrase)};
  command.insert(command.end(), what.begin(), what.end());
  return openssl(command, p12);
}

// From the first "-----BEGIN", without what openssl writes in front.
std::string pem_part(const std::string& text) {
  const std::size_t at = text.find("-----BEGIN");
  return at == std::string::npos ? "" : text.substr(at);
}

}  // namespace

TEST_CASE("pem and der: the certificate itself, of every caller that may read it") {
  const ServerFixture server;
  const std::string reader = "Bearer " + server.access_token(server.create_account("reader", {"reader=folder:Shared"}));
  for (const std::string& algorithm : kAlgorithms) {
    CAPTURE(algorithm);
    // Blocked or not, with a key here or not: the certificate is no secret.
    const Json made = server.must_generate(certificate(std::to_string(server.rows())).set("algorithm", algorithm));
    const Reply reply = server.send({"POST",
                                     "/certificates/" + made["id"].text() + ":export",
                                     {{"Content-Type", "application/json"}, {"Authorization", reader}},
                                     R"({"format":"pem"})"});
    CHECK(reply.status == 201);
    CHECK(reply.json().names() == std::vector<std::string>{"certificate"});
    CHECK(reply.json()["certificate"].text() == made["public_key"].text());
    CHECK(x509(reply.json()["certificate"].text(), {"-subject"}).find("Test ") != std::string::npos);

    const std::string der = from_base64(must_export(server, made, "der"));
    CHECK(openssl({"x509", "-inform", "DER"}, der) == made["public_key"].text());
    CHECK(openssl({"x509", "-outform", "DER"}, made["public_key"].text()) == der);
  }
}

TEST_CASE("pkcs12: openssl, certtool, NSS and the JDK open it, and the key signs for the certificate") {
  const ServerFixture server;
  for (const std::string& algorithm : kAlgorithms) {
    CAPTURE(algorithm);
    const std::string name = "name " + algorithm.substr(2, 3) + std::to_string(server.rows());
    const Json made = open_certificate(server, name, algorithm);
    const std::string text = must_export(server, made, "pkcs12", kAsciiPassphrase);
    CHECK(text.find('\n') == std::string::npos);
    const std::string p12 = from_base64(text);
    const std::string certificate_pem = pem_part(opened(p12, kAsciiPassphrase, {"-nokeys"}));
    CHECK(certificate_pem == made["public_key"].text());
    CHECK(why_not_key_of(pem_part(opened(p12, kAsciiPassphrase, {"-nocerts", "-nodes"})), certificate_pem) == "");
    CHECK(opened(p12, kAsciiPassphrase, {"-nokeys"}).find("friendlyName: " + name) != std::string::npos);

    const TemporaryDirectory directory;
    const std::string file = directory.write("file.p12", p12);
    const CommandResult certtool =
        run_command({"certtool", "--p12-info", "--inder", "--infile", file, "--password", kAsciiPassphrase});
    CHECK_MESSAGE(certtool.exit_code == 0, certtool.out);
    CHECK(certtool.out.find("BEGIN") != std::string::npos);

    const CommandResult keytool = run_command(
        {"keytool", "-list", "-v", "-storetype", "PKCS12", "-keystore", file, "-storepass", kAsciiPassphrase});
    CHECK_MESSAGE(keytool.exit_code == 0, keytool.out);
    CHECK(keytool.out.find("Entry type: PrivateKeyEntry") != std::string::npos);

    const std::string database = "sql:" + directory.path().string();
    must_run({"certutil", "-N", "-d", database, "--empty-password"});
    const CommandResult nss = run_command({"pk12util", "-i", file, "-d", database, "-W", kAsciiPassphrase, "-K", ""});
    CHECK_MESSAGE(nss.exit_code == 0, nss.out);
    const CommandResult listed = run_command({"certutil", "-K", "-d", database});
    CHECK_MESSAGE(listed.out.find(name) != std::string::npos, listed.out);

    // And back in, by this program's own import.
    Body body = import_body("again", "pkcs12", p12).text("folder", "F" + std::to_string(server.rows()));
    const Json again = must_import(server, body.text("passphrase", kAsciiPassphrase));
    CHECK(again["fingerprint_sha256"].text() == made["fingerprint_sha256"].text());
    CHECK(again["key"].exists());
  }
}

TEST_CASE("pkcs12 and pem are encrypted with AES-256-CBC under PBKDF2 with SHA-256 and at least 100,000 rounds") {
  const ServerFixture server;
  for (const std::string& algorithm : kAlgorithms) {
    CAPTURE(algorithm);
    const Json made = open_certificate(server, std::to_string(server.rows()), algorithm);
    const std::string p12 = from_base64(must_export(server, made, "pkcs12", kPassphrase));
    const TemporaryDirectory directory;
    const std::string file = directory.write("file.p12", p12);
    const std::string info =
        must_run({"openssl", "pkcs12", "-info", "-noout", "-in", file, "-passin", password_argument(kPassphrase)});
    CAPTURE(info);
    CHECK(info.find("MAC: sha256") != std::string::npos);
    CHECK(info.find("Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC") != std::string::npos);
    CHECK(info.find("PKCS7 Encrypted data: PBES2, PBKDF2, AES-256-CBC") != std::string::npos);
    static const std::regex rounds("Iteration (\\d+)(, PRF (\\S+))?");
    int found = 0;
    for (std::sregex_iterator at(info.begin(), info.end(), rounds), end; at != end; ++at, ++found) {
      CHECK(std::stol((*at)[1].str()) >= 100000);
      CHECK(((*at)[3].str().empty() || (*at)[3].str() == "hmacWithSHA256"));
    }
    CHECK(found == 3);  // the MAC, the certificate's safe, the key's bag
    CHECK(run_command({"openssl", "pkcs12", "-noout", "-in", file, "-passin", "pass:wrong one"}).exit_code != 0);

    const std::string pem = must_export(server, made, "pem", kPassphrase);
    CHECK(pem.starts_with(made["public_key"].text()));
    const std::string key = pem.substr(made["public_key"].text().size());
    CHECK(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    const std::string parsed = must_run({"openssl", "asn1parse"}, key);
    CAPTURE(parsed);
    CHECK(parsed.find("PBES2") != std::string::npos);
    CHECK(parsed.find("hmacWithSHA256") != std::string::npos);
    CHECK(parsed.find("aes-256-cbc") != std::string::npos);
    std::smatch number;
    REQUIRE(std::regex_search(parsed, number, std::regex("INTEGER\\s+:([0-9A-F]+)\\n")));
    CHECK(std::stol(number[1].str(), nullptr, 16) >= 100000);
    const std::string plain = openssl({"pkey", "-passin", password_argument(kPassphrase)}, key);
    CHECK(why_not_key_of(plain, made["public_key"].text()) == "");
    CHECK(run_command({"openssl", "pkey", "-noout", "-passin", "pass:wrong one"}, key).exit_code != 0);
  }
}

TEST_CASE("two exports share nothing but the key: salts are new each time") {
  const ServerFixture server;
  const Json made = open_certificate(server, "x", R"({"ecdsa_number_of_bits":256})");
  CHECK(must_export(server, made, "pkcs12", kPassphrase) != must_export(server, made, "pkcs12", kPassphrase));
  CHECK(must_export(server, made, "pem", kPassphrase) != must_export(server, made, "pem", kPassphrase));
  CHECK(server.keys() == 1);  // nothing that wrapped it stays
}

TEST_CASE("a blocked key does not leave: 403 here, and the token refuses whoever asks") {
  const ServerFixture server;
  const Json blocked = server.must_generate(certificate("blocked"));
  const Json blocked_rsa =
      server.must_generate(certificate("blocked RSA").set("algorithm", R"({"rsa_number_of_bits":2048})"));
  const Json open = open_certificate(server, "open", R"({"ecdsa_number_of_bits":256})");
  for (const Json& made : {blocked, blocked_rsa}) {
    for (const char* format : {"pkcs12", "pem"}) {
      CAPTURE(format);
      const Reply reply = export_as(server, made, format, kPassphrase);
      check_error(reply, 403, "E007", "Private Key Export Blocked");
      CHECK(reply.json()["_errors"].at(0)["details"]["errorType"].text() == "Private Key Export Blocked");
    }
  }
  // The same question, put to the token under a key that is none of the program's.
  Cryptoki token(server.token());
  const CK_OBJECT_HANDLE wrapping = token.fresh_aes_key();
  const auto wrap = [&](const Json& made) {
    const auto keys = token.find(CKO_PRIVATE_KEY, made);
    REQUIRE(keys.size() == 1);
    return token.wrap(wrapping, keys[0]);
  };
  CHECK(wrap(open) == CKR_OK);
  CHECK(wrap(blocked) == CKR_KEY_UNEXTRACTABLE);
  CHECK(wrap(blocked_rsa) == CKR_KEY_UNEXTRACTABLE);
}

TEST_CASE("a private key leaves only at the word of an exporter, in that container") {
  const ServerFixture server;
  const Json made = open_certificate(server, "x", R"({"ecdsa_number_of_bits":256})");
  const auto ask = [&](const std::vector<std::string>& grants, const std::string& body) {
    static int number = 0;
    const Account account = server.create_account("account-" + std::to_string(++number), grants);
    return server.send(
        {"POST",
         "/certificates/" + made["id"].text() + ":export",
         {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + server.access_token(account)}},
         body});
  };
  const std::string pkcs12_body = Body().text("format", "pkcs12").text("passphrase", kPassphrase).json();
  const std::string pem_body = Body().text("format", "pem").text("passphrase", kPassphrase).json();
  for (const std::vector<std::string>& grants : std::vector<std::vector<std::string>>{
           {"issuer=*"}, {"signer=*", "reader=*"}, {"auditor=*"}, {"issuer=*", "exporter=folder:Other"}}) {
    CAPTURE(grants.front());
    for (const std::string& body : {pkcs12_body, pem_body}) {
      check_error(ask(grants, body), 403, "E007", "Unauthorized");
    }
    CHECK(ask(grants, R"({"format":"pem"})").status == 201);
    CHECK(ask(grants, R"({"format":"der"})").status == 201);
  }
  CHECK(ask({"exporter=folder:Shared"}, pkcs12_body).status == 201);
  CHECK(ask({"exporter=folder:Shared"}, pem_body).status == 201);
  // Who may not see it gets no other answer than for one that is not there.
  check_error(ask({"exporter=folder:Other"}, pkcs12_body), 404, "E005", "Object Not Present");
}

TEST_CASE("faults of an export, each by its name") {
  const ServerFixture server;
  const Json made = open_certificate(server, "x", R"({"ecdsa_number_of_bits":256})");
  const std::string path = "/certificates/" + made["id"].text() + ":export";
  struct Row {
    const char* body;
    const char* field;
  };
  for (const Row& row : {
           Row{R"({"format":"pkcs12"})", "passphrase"},
           Row{R"({"format":"pkcs12","passphrase":""})", "passphrase"},
           Row{R"({"format":"pkcs12","passphrase":"12345"})", "passphrase"},
           Row{R"({"format":"pem","passphrase":"12345"})", "passphrase"},
           Row{R"({"format":"pkcs12","passphrase":null})", "passphrase"},
           Row{R"({"format":"pkcs12","passphrase":123456})", "passphrase"},
           Row{R"({"passphrase":"long enough"})", "format"},
           Row{R"({"format":"jks"})", "format"},
           Row{R"({"format":7})", "format"},
           Row{R"({"format":"pem","fromat":"pem"})", "fromat"},
           Row{R"({"format":"pem","folder":"a","snippet":"b"})", "snippet"},
       }) {
    CAPTURE(row.body);
    CHECK(names_field(check_invalid_object(server.post(path, row.body)), row.field));
  }
  CHECK(server.post(path, R"({"format":"pkcs12","passphrase":"123456"})").status == 201);
  check_error(server.post(path, ""), 400, "E003", "Missing Body");
  check_error(server.post(path, R"({"format":"pem","folder":"Other"})"), 404, "E005", "Object Not Present");
  CHECK(server.post(path + "?folder=Shared", R"({"format":"pem"})").status == 201);
  check_error(server.post(path + "?folder=Other", R"({"format":"pem"})"), 404, "E005", "Object Not Present");
  check_error(server.post("/certificates/00000000-0000-4000-8000-000000000000:export", R"({"format":"pem"})"), 404,
              "E005", "Object Not Present");
}

TEST_CASE("a certificate without its key here has no PKCS#12 to export") {
  const ServerFixture server;
  const std::string key = new_key("P-256");
  const Json made = must_import(server, import_body("public", "pem", self_signed(key, "Public")));
  for (const char* format : {"pkcs12", "pem"}) {
    check_error(export_as(server, made, format, kPassphrase), 400, "E003", "Invalid Command");
  }
  CHECK(export_as(server, made, "pem").status == 201);
}

TEST_CASE("a token that fails an export: an error, no key in it, and the next export works") {
  ServerOptions options;
  options.faults = true;
  const ServerFixture server(options);
  const Json made = open_certificate(server, "x", R"({"ecdsa_number_of_bits":256})");
  for (const std::string plan : {"C_WrapKey rv=CKR_DEVICE_ERROR", "C_WrapKey rv=CKR_FUNCTION_FAILED", "C_WrapKey flip",
                                 "C_GenerateKey rv=CKR_DEVICE_MEMORY\nC_CreateObject rv=CKR_DEVICE_MEMORY"}) {
    CAPTURE(plan);
    server.plan(plan + "\n");
    const Reply reply = export_as(server, made, "pkcs12", kPassphrase);
    CAPTURE(reply.body);
    CHECK(reply.status >= 500);
    CHECK(reply.status != 501);
    CHECK(reply.json()["_errors"].exists());
    CHECK(reply.body.find("CKR_") == std::string::npos);
    server.plan("");
    Reply again = export_as(server, made, "pkcs12", kPassphrase);
    for (int i = 0; i < 50 && again.status == 503; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      again = export_as(server, made, "pkcs12", kPassphrase);
    }
    CHECK_MESSAGE(again.status == 201, again.body);
    CHECK(server.keys() == 1);
  }
}
