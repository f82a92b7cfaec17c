// POST /certificates:import: what other programs write is taken, what is wrong is said, and no secret stays behind.
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "system/files.h"
#include "system/x509.h"

using namespace system_test;
using test_support::read_file;

namespace {

constexpr const char* kPassphrase = "tr0ub4dor & three";

struct Identity {
  std::string key;
  std::string certificate;
};

Identity authority(const std::string& kind, const std::string& name) {
  Identity made;
  made.key = new_key(kind);
  made.certificate = self_signed(made.key, name, true);
  return made;
}

std::string der_of(const std::string& certificate) { return openssl({"x509", "-outform", "DER"}, certificate); }

// A way to write a key.
struct KeyForm {
  std::string name;
  std::vector<std::string> command;  // of openssl, from PKCS#8 in PEM
  bool encrypted;
};

std::vector<KeyForm> key_forms(bool rsa) {
  const std::string traditional = rsa ? "rsa" : "ec";
  const std::string passout = std::string("pass:") + kPassphrase;
  std::vector<KeyForm> forms = {
      {"PKCS#8", {"pkcs8", "-topk8", "-nocrypt"}, false},
      {"PKCS#8 in DER", {"pkcs8", "-topk8", "-nocrypt", "-outform", "DER"}, false},
      {"PBES2, AES-256, SHA-256", {"pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", passout}, true},
      {"PBES2, 3DES, SHA-1", {"pkcs8", "-topk8", "-v2", "des3", "-v2prf", "hmacWithSHA1", "-passout", passout}, true},
      {"PBES2 in DER", {"pkcs8", "-topk8", "-v2", "aes-128-cbc", "-outform", "DER", "-passout", passout}, true},
      {"PBES1, SHA-1 and 3DES", {"pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-passout", passout}, true},
      {"PBES1, MD5 and DES",
       {"pkcs8", "-topk8", "-v1", "PBE-MD5-DES", "-passout", passout, "-provider", "legacy", "-provider", "default"},
       true},
      {"traditional", {traditional}, false},
      {"traditional, AES-256", {traditional, "-aes256", "-passout", passout}, true},
      {"traditional, 3DES", {traditional, "-des3", "-passout", passout}, true},
  };
  if (rsa) {
    for (KeyForm& form : forms) {
      if (form.command.front() == "rsa") form.command.insert(form.command.begin() + 1, "-traditional");
    }
  }
  return forms;
}

// Files below the directory that hold these octets.
std::vector<std::string> files_with(const std::filesystem::path& directory, const std::string& octets) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file() && read_file(entry.path().string()).find(octets) != std::string::npos) {
      found.push_back(entry.path().string());
    }
  }
  return found;
}

std::string hex_of(const std::string& octets) {
  std::string hex;
  for (const char octet : octets) {
    hex += "0123456789abcdef"[static_cast<unsigned char>(octet) >> 4U];
    hex += "0123456789abcdef"[static_cast<unsigned char>(octet) & 15U];
  }
  return hex;
}

std::string lines_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("a key in every form that openssl writes moves into the token and signs there") {
  const ServerFixture server;
  for (const std::string kind : {"RSA:2048", "P-256"}) {
    const Identity root = authority(kind, "Root " + kind);
    const bool rsa = kind.starts_with("RSA");
    for (const KeyForm& form : key_forms(rsa)) {
      CAPTURE(kind);
      CAPTURE(form.name);
      const std::string file = openssl(form.command, root.key);
      // A folder for each: a container takes a certificate once.
      Body body = import_body("root", "pem", root.certificate, file);
      body.text("folder", kind.substr(0, 1) + "-" + std::to_string(server.rows()));
      if (form.encrypted) body.text("passphrase", kPassphrase);
      const Reply reply = import(server, body);
      REQUIRE_MESSAGE(reply.status == 201, reply.body);
      const Json made = reply.json();
      CHECK(reply.header("location") == "/certificates/" + made["id"].text());
      CHECK(made["status"].text() == "valid");
      CHECK(made["ca"].boolean());
      CHECK(made["public_key"].text() == root.certificate);
      CHECK(made["algorithm"].text() == (rsa ? "RSA" : "EC"));
      REQUIRE(made["key"].exists());
      CHECK_FALSE(made["key"]["local"].boolean());
      CHECK_FALSE(made["key"]["extractable"].boolean());
      CHECK(made["key"]["sensitive"].boolean());
      CHECK(made["key"]["type"].text() == (rsa ? "RSA" : "EC"));
      CHECK(made["key"]["bits"].integer() == (rsa ? 2048 : 256));
      CHECK(keys_of(server, made) == 1);
      CHECK(why_not_usable(server, made, "leaf " + std::to_string(server.rows())) == "");
      CHECK(server.get("/certificates/" + made["id"].text()).body == reply.body);
    }
  }
  CHECK(server.keys() == server.rows());
}

TEST_CASE("a certificate as PEM, DER and PKCS#12, each as Base64, and PEM as it stands") {
  const ServerFixture server;
  for (const std::string kind : {"RSA:2048", "P-256"}) {
    const Identity root = authority(kind, "Root " + kind);
    struct Row {
      std::string name;
      std::string format;
      std::string certificate_file;
      std::string key_file;
      bool passphrase;
      bool key;
    };
    const std::string& key = root.key;
    const std::string& pem = root.certificate;
    const std::string old_file = pkcs12(key, pem, kPassphrase, {"-legacy"});
    const std::string new_file = pkcs12(key, pem, kPassphrase);
    const Row rows[] = {
        {"PEM as text", "pem", pem, "", false, false},
        {"PEM in Base64", "pem", base64(pem), "", false, false},
        {"PEM as text with its key as text", "pem", pem, key, false, true},
        {"PEM with text around it", "pem", base64("Bag Attributes\n  friendlyName: x\n" + pem + "\nend\n"), "", false,
         false},
        {"DER", "der", base64(der_of(pem)), "", false, false},
        {"DER with a key in PEM", "der", base64(der_of(pem)), base64(key), false, true},
        {"PKCS#12, old", "pkcs12", base64(old_file), "", true, true},
        {"PKCS#12, new", "pkcs12", base64(new_file), "", true, true},
        {"PKCS#12, old, without a key", "pkcs12", base64(pkcs12("", pem, kPassphrase, {"-legacy"})), "", true, false},
        {"PKCS#12, new, without a key", "pkcs12", base64(pkcs12("", pem, kPassphrase)), "", true, false},
    };
    for (const Row& row : rows) {
      CAPTURE(kind);
      CAPTURE(row.name);
      const std::size_t keys = server.keys();
      Body body;
      body.text("folder", kind.substr(0, 1) + "-" + std::to_string(server.rows())).text("name", "root");
      body.text("format", row.format).text("certificate_file", row.certificate_file);
      if (!row.key_file.empty()) body.text("key_file", row.key_file);
      if (row.passphrase) body.text("passphrase", kPassphrase);
      const Reply reply = import(server, body);
      REQUIRE_MESSAGE(reply.status == 201, reply.body);
      const Json made = reply.json();
      CHECK(made["public_key"].text() == pem);
      CHECK(made["name"].text() == "root");
      CHECK(made["subject"].text() == "/CN=Root " + kind);
      CHECK(made["key"].exists() == row.key);
      CHECK(server.keys() == keys + (row.key ? 1U : 0U));
      if (row.key) {
        CHECK(why_not_usable(server, made, "leaf " + std::to_string(server.rows())) == "");
      } else {
        const Reply refused = server.generate(certificate("leaf").text("signed_by", made["id"].text()));
        CHECK(names_field(check_invalid_object(refused), "signed_by"));
      }
    }
  }
}

TEST_CASE("PKCS#12 from certtool, with the chain in it: the key's own certificate is taken") {
  const ServerFixture server;
  const Identity root = authority("P-256", "Root");
  const std::string key = new_key("P-256");
  const test_support::TemporaryDirectory directory;
  const std::string request = openssl({"req", "-new", "-key", directory.write("key.pem", key), "-subj", "/CN=leaf",
                                       "-config", directory.write("config", "[req]\ndistinguished_name=dn\n[dn]\n")},
                                      "");
  const std::string leaf = sign_request(request, root.certificate, root.key, "basicConstraints=critical,CA:FALSE\n");
  test_support::must_run({"certtool", "--to-p12", "--load-privkey", directory.file("key.pem"), "--load-certificate",
                          directory.write("leaf.pem", leaf), "--load-ca-certificate",
                          directory.write("root.pem", root.certificate), "--p12-name", "leaf", "--password",
                          kPassphrase, "--outder", "--outfile", directory.file("file.p12")});
  Body body = import_body("leaf", "pkcs12", read_file(directory.file("file.p12")));
  const Json made = must_import(server, body.text("passphrase", kPassphrase));
  CHECK(made["public_key"].text() == leaf);
  CHECK_FALSE(made["ca"].boolean());
  CHECK(made["issuer"].text() == "/CN=Root");
  CHECK(keys_of(server, made) == 1);
}

TEST_CASE("is_block_privateKey decides of an imported key as of one made here") {
  const ServerFixture server;
  for (const std::string kind : {"RSA:2048", "P-256"}) {
    for (const char* block : {"", "true", "false"}) {
      CAPTURE(kind);
      CAPTURE(block);
      const Identity root = authority(kind, "Root");
      Body body = import_body(kind.substr(0, 1) + block, "pem", root.certificate, root.key);
      if (block[0] != '\0') body.set("is_block_privateKey", block);
      const Json made = must_import(server, body);
      const bool open = std::string(block) == "false";
      CHECK(made["key"]["extractable"].boolean() == open);
      CHECK_FALSE(made["key"]["local"].boolean());
      const Reply exported = export_as(server, made, "pkcs12", kPassphrase);
      if (open) {
        CHECK(exported.status == 201);
      } else {
        check_error(exported, 403, "E007", "Private Key Export Blocked");
      }
    }
  }
}

TEST_CASE("no answer, log or file holds the key or the passphrase") {
  ServerOptions options;
  options.settings["log.level"] = quote("debug");
  ServerFixture server(options);
  for (const std::string kind : {"RSA:2048", "P-256"}) {
    const Identity root = authority(kind, "Root " + kind);
    const std::string encrypted =
        openssl({"pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", std::string("pass:") + kPassphrase}, root.key);
    const std::string secret = secret_octets(root.key);
    const std::string pem_line = root.key.substr(root.key.find('\n') + 1 + 65, 40);  // of the second line
    const std::string traces[] = {kPassphrase, pem_line, encrypted.substr(encrypted.find('\n') + 1 + 65, 40), secret,
                                  // inside what Base64 makes of the octets, wherever they begin
                                  hex_of(secret.substr(4, 12)), base64(secret).substr(4, 24)};
    std::string answers;
    const std::string name = kind.substr(0, 1);
    answers += import(server, import_body(name + "1", "pem", root.certificate, root.key).text("folder", "A")).body;
    Body with_passphrase = import_body(name + "2", "pem", root.certificate, encrypted);
    with_passphrase.text("passphrase", kPassphrase);
    answers += import(server, with_passphrase.text("folder", "B")).body;
    Body p12 = import_body(name + "3", "pkcs12", pkcs12(root.key, root.certificate, kPassphrase));
    answers += import(server, p12.text("passphrase", kPassphrase).text("folder", "C")).body;
    CHECK(server.rows() == (name == "R" ? 3 : 6));
    // Refusals do not repeat what was sent either.
    const Identity other = authority("P-256", "Other");
    answers += import(server, import_body("other", "pem", other.certificate, root.key)).body;
    answers += import(server, with_passphrase.text("format", "jks")).body;
    answers += import(server, with_passphrase.text("format", "pem").text("passphrase", kPassphrase + pem_line)).body;
    answers += import(server, with_passphrase.text("unknown", root.key)).body;
    answers += server.get("/certificates").body;
    for (const std::string& trace : traces) {
      REQUIRE(trace.size() >= 12);
      CHECK(answers.find(trace) == std::string::npos);
      CHECK(server.output().find(trace) == std::string::npos);
      CHECK(lines_of(files_with(server.state().path(), trace)) == "");
      CHECK(lines_of(files_with(server.token().directory().path(), trace)) == "");
    }
    // The search finds what is there: the certificate is public, and in the store.
    CHECK(lines_of(files_with(server.state().path(), root.certificate.substr(100, 40))) != "");
  }
}

TEST_CASE("what is wrong with an import is said by the field's name, and nothing is left in token and store") {
  const ServerFixture server;
  const Identity one = authority("P-256", "One");
  const Identity two = authority("RSA:2048", "Two");
  const Identity edwards = authority("ED25519", "Edwards");
  const std::string encrypted =
      openssl({"pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", std::string("pass:") + kPassphrase}, one.key);
  const std::string traditional = openssl({"ec", "-aes256", "-passout", std::string("pass:") + kPassphrase}, one.key);
  const std::string p12 = pkcs12(one.key, one.certificate, kPassphrase);
  const std::string old_p12 = pkcs12(one.key, one.certificate, kPassphrase, {"-legacy"});
  const auto body = [&](const std::string& format, const std::string& certificate_file, const std::string& key = "") {
    return import_body("x", format, certificate_file, key);
  };
  struct Row {
    std::string name;
    Body body;
    std::string field;
  };
  const Row rows[] = {
      {"wrong passphrase of PBES2", body("pem", one.certificate, encrypted).text("passphrase", "wrong"), "passphrase"},
      {"wrong passphrase, traditional", body("pem", one.certificate, traditional).text("passphrase", "wrong"),
       "passphrase"},
      {"wrong passphrase of PKCS#12", body("pkcs12", p12).text("passphrase", "wrong"), "passphrase"},
      {"wrong passphrase of old PKCS#12", body("pkcs12", old_p12).text("passphrase", "wrong"), "passphrase"},
      {"missing passphrase of PBES2", body("pem", one.certificate, encrypted), "passphrase"},
      {"missing passphrase, traditional", body("pem", one.certificate, traditional), "passphrase"},
      {"missing passphrase of PKCS#12", body("pkcs12", p12), "passphrase"},
      {"missing passphrase of old PKCS#12", body("pkcs12", old_p12), "passphrase"},
      {"passphrase of another type", body("pem", one.certificate, encrypted).set("passphrase", "7"), "passphrase"},
      {"a key of another kind", body("pem", one.certificate, two.key), "key_file"},
      {"another key of the same kind", body("pem", one.certificate, new_key("P-256")), "key_file"},
      {"a key on another curve", body("pem", one.certificate, new_key("P-384")), "key_file"},
      {"several certificates", body("pem", one.certificate + two.certificate), "certificate_file"},
      {"a certificate in place of the key", body("pem", one.certificate, one.certificate), "key_file"},
      {"a certificate in DER in place of the key", body("pem", one.certificate, der_of(one.certificate)), "key_file"},
      {"a public key in place of the key", body("pem", one.certificate, public_key_of_key(one.key)), "key_file"},
      {"PKCS#12 in place of the key", body("pem", one.certificate, p12), "key_file"},
      {"two keys", body("pem", one.certificate, one.key + two.key), "key_file"},
      {"a truncated key", body("pem", one.certificate, one.key.substr(0, one.key.size() / 2)), "key_file"},
      {"a key in place of the certificate", body("pem", one.key), "certificate_file"},
      {"a key beside the certificate", body("pem", one.certificate + one.key), "certificate_file"},
      {"a key in DER in place of the certificate", body("der", openssl({"pkey", "-outform", "DER"}, one.key)),
       "certificate_file"},
      {"DER called PEM", body("pem", der_of(one.certificate)), "certificate_file"},
      {"PEM called DER", body("der", one.certificate), "certificate_file"},
      {"PKCS#12 called PEM", body("pem", p12).text("passphrase", kPassphrase), "certificate_file"},
      {"PKCS#12 called DER", body("der", p12).text("passphrase", kPassphrase), "certificate_file"},
      {"PEM called PKCS#12", body("pkcs12", one.certificate).text("passphrase", kPassphrase), "certificate_file"},
      {"format missing", body("pem", one.certificate).drop("format"), "format"},
      {"format unknown", body("jks", one.certificate), "format"},
      {"format in capitals", body("PEM", one.certificate), "format"},
      {"format of requests", body("pkcs10", one.certificate), "format"},
      {"format null", body("pem", one.certificate).set("format", "null"), "format"},
      {"not Base64", body("der", "").text("certificate_file", "!!! not Base64 !!!"), "certificate_file"},
      {"Base64 cut short", body("der", "").text("certificate_file", base64(der_of(one.certificate)).substr(0, 101)),
       "certificate_file"},
      {"no octets", body("pem", "").text("certificate_file", ""), "certificate_file"},
      {"a file of another type", body("pem", "").set("certificate_file", "[1,2]"), "certificate_file"},
      {"no certificate_file", body("pem", "").drop("certificate_file"), "certificate_file"},
      {"key_file not Base64", body("pem", one.certificate).text("key_file", "a key?"), "key_file"},
      {"truncated DER", body("der", der_of(one.certificate).substr(0, 200)), "certificate_file"},
      {"DER with octets after it", body("der", der_of(one.certificate) + "x"), "certificate_file"},
      {"truncated PEM", body("pem", one.certificate.substr(0, one.certificate.size() / 2)), "certificate_file"},
      {"truncated PKCS#12", body("pkcs12", p12.substr(0, p12.size() / 2)).text("passphrase", kPassphrase),
       "certificate_file"},
      {"empty PEM", body("pem", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), "certificate_file"},
      {"Ed25519", body("pem", edwards.certificate), "certificate_file"},
      {"Ed25519 with its key", body("pem", edwards.certificate, edwards.key), "certificate_file"},
      {"an Ed25519 key", body("pem", one.certificate, edwards.key), "key_file"},
      {"key_file with PKCS#12", body("pkcs12", p12, one.key).text("passphrase", kPassphrase), "key_file"},
      {"no name", body("pem", one.certificate).drop("name"), "name"},
      {"empty name", body("pem", one.certificate).text("name", ""), "name"},
      {"long name", body("pem", one.certificate).text("name", std::string(256, 'x')), "name"},
      {"no container", body("pem", one.certificate).drop("folder"), "folder"},
      {"two containers", body("pem", one.certificate).text("snippet", "s"), "snippet"},
      {"is_block_privateKey no boolean", body("pem", one.certificate, one.key).text("is_block_privateKey", "no"),
       "is_block_privateKey"},
      {"an unknown field", body("pem", one.certificate).text("certificate", "x"), "certificate"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const std::size_t before = server.keys();
    const auto sentences = check_invalid_object(import(server, row.body));
    std::string all;
    for (const std::string& sentence : sentences) all += sentence + "\n";
    CHECK_MESSAGE(names_field(sentences, row.field), all);
    CHECK(server.keys() == before);
    CHECK(server.rows() == 0);
  }
  CHECK(server.keys() == 0);
  CHECK(import(server, body("pem", one.certificate, one.key)).status == 201);
  CHECK(server.keys() == 1);
}

TEST_CASE("all faults of the form are told at once") {
  const ServerFixture server;
  const auto sentences = check_invalid_object(
      server.post("/certificates:import", R"({"name":"","format":"jks","passphrase":1,"key_file":"?","what":0})"));
  for (const char* field : {"folder", "name", "format", "passphrase", "key_file", "certificate_file", "what"}) {
    CAPTURE(field);
    CHECK(names_field(sentences, field));
  }
}

TEST_CASE("the same certificate again, and a name that is taken") {
  const ServerFixture server;
  const Identity one = authority("P-256", "One");
  const Identity two = authority("P-256", "Two");
  must_import(server, import_body("one", "pem", one.certificate, one.key));
  const auto refused = [&](const Body& body, const std::string& code, const std::string& message) {
    check_error(import(server, body), 409, code, message);
    CHECK(server.keys() == 1);
    CHECK(server.rows() == 1);
  };
  refused(import_body("two", "pem", one.certificate), "E016", "Object Not Unique");
  refused(import_body("two", "der", der_of(one.certificate), one.key), "E016", "Object Not Unique");
  refused(import_body("one", "pem", one.certificate, one.key), "E016", "Object Not Unique");
  refused(import_body("one", "pem", two.certificate, two.key), "E006", "Name Not Unique");
  check_error(server.generate(certificate("one")), 409, "E006", "Name Not Unique");
  // Of another container it is none of the business.
  CHECK(import(server, import_body("one", "pem", one.certificate, one.key).text("folder", "Other")).status == 201);
  CHECK(server.keys() == 2);
  // What is generated here is known as well.
  const Json made = server.must_generate(certificate("made here"));
  check_error(import(server, import_body("again", "pem", made["public_key"].text())), 409, "E016", "Object Not Unique");
}

TEST_CASE("eight imports of one certificate at once: one is made, and one key") {
  const ServerFixture server;
  const Identity one = authority("P-256", "One");
  std::vector<Reply> replies(8);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < replies.size(); ++i) {
      threads.emplace_back(
          [&, i] { replies[i] = import(server, import_body("same", "pem", one.certificate, one.key)); });
    }
  }
  int made = 0;
  for (const Reply& reply : replies) {
    CAPTURE(reply.body);
    CHECK((reply.status == 201 || reply.status == 409));
    made += reply.status == 201 ? 1 : 0;
  }
  CHECK(made == 1);
  CHECK(server.keys() == 1);
  CHECK(server.rows() == 1);
}

TEST_CASE("a token that fails during an import leaves neither key nor record") {
  struct Row {
    const char* plan;
    int status;
    const char* code;
    const char* message;
  };
  for (const std::string kind : {"RSA:2048", "P-256"}) {
    ServerOptions options;
    options.faults = true;
    const ServerFixture server(options);
    const Identity root = authority(kind, "Root " + kind);
    const Body body = import_body(kind, "pem", root.certificate, root.key);
    for (const Row& row : {Row{"C_UnwrapKey rv=CKR_DEVICE_MEMORY", 503, "E503", "Token Unavailable"},
                           Row{"C_UnwrapKey rv=CKR_DEVICE_ERROR after", 503, "E503", "Token Unavailable"},
                           Row{"C_UnwrapKey rv=CKR_GENERAL_ERROR after", 503, "E503", "Token Unavailable"},
                           Row{"C_UnwrapKey rv=CKR_FUNCTION_FAILED after", 500, "E500", "Internal Error"},
                           Row{"C_Sign rv=CKR_FUNCTION_FAILED", 500, "E500", "Internal Error"},
                           Row{"C_Sign flip", 500, "E500", "Internal Error"},
                           Row{"C_GetAttributeValue report=extractable:true", 500, "E500", "Internal Error"},
                           Row{"C_GetAttributeValue report=sensitive:false", 500, "E500", "Internal Error"},
                           Row{"C_GetAttributeValue report=local:true", 500, "E500", "Internal Error"},
                           // A token that does not unwrap as asked is given the parts of the key from then on.
                           Row{"C_CreateObject rv=CKR_DEVICE_MEMORY", 503, "E503", "Token Unavailable"},
                           Row{"C_CreateObject rv=CKR_DEVICE_ERROR after", 503, "E503", "Token Unavailable"}}) {
      CAPTURE(kind);
      const std::string plan = row.plan;
      CAPTURE(plan);
      server.plan(std::string(row.plan) + "\n");
      const Reply reply = import(server, body);
      check_error(reply, row.status, row.code, row.message);
      CHECK(reply.body.find("CKR_") == std::string::npos);
      server.plan("");
      // What could not be destroyed at once is destroyed as soon as the token is well again.
      for (int i = 0; i < 100 && server.keys() != 0; ++i) {
        server.get("/certificates");
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
      CHECK(server.keys() == 0);
      CHECK(server.rows() == 0);
    }
    Reply again = import(server, body);
    for (int i = 0; i < 50 && again.status == 503; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      again = import(server, body);
    }
    REQUIRE_MESSAGE(again.status == 201, again.body);
    CHECK(why_not_usable(server, again.json(), "leaf") == "");
    const Json leaf = server.get("/certificates?folder=Shared&name=leaf").json();
    CHECK(server.send({"DELETE", "/certificates/" + leaf["id"].text(), {}, ""}).status == 200);
    CHECK(server.send({"DELETE", "/certificates/" + again.json()["id"].text(), {}, ""}).status == 200);
    CHECK(server.keys() == 0);
  }
}
