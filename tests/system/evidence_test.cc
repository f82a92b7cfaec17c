// Evidence on keys: what it says beside what other programs see in the token, who verifies it, and that nothing of it
// can be changed.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "system/account_calls.h"
#include "system/files.h"
#include "system/x509.h"

using namespace system_test;
using test_support::CommandResult;
using test_support::read_file;
using test_support::run_command;
using test_support::TemporaryDirectory;

namespace {

constexpr const char* kNonce = "a-nonce/of:mine~1";

const std::vector<std::string> kVerdicts = {
    "private_key_present", "unique", "token_object", "sensitive",         "always_sensitive", "not_extractable",
    "never_extractable",   "local",  "signs_only",   "answers_challenge", "matches_record",   "token_keeps_keys"};

std::string audit_key(const ServerFixture& server) {
  return sqlite(server, "SELECT public_key_pem FROM audit_key") + "\n";
}

std::string path_of(const Json& made) { return "/certificates/" + made["id"].text() + "/evidence"; }

std::string evidence_on(const ServerFixture& server, const Json& made, const std::string& nonce = kNonce) {
  const Reply reply = server.get(path_of(made) + (nonce.empty() ? "" : "?nonce=" + nonce));
  REQUIRE_MESSAGE(reply.status == 200, reply.body);
  CHECK(reply.header("content-type") == "application/jose");
  return reply.body;
}

Json payload_of(const std::string& jws) {
  const std::size_t first = jws.find('.') + 1;
  return Json::parse(from_base64(jws.substr(first, jws.find('.', first) - first)));
}

std::vector<std::string> failed(const Json& payload) {
  std::vector<std::string> names;
  for (const auto& [name, value] : payload["verdicts"].members()) {
    if (value.text() != "pass") names.push_back(name);
  }
  return names;
}

// `hsm-signer evidence verify` beside a server, in a directory of its own.
class Verifier {
 public:
  explicit Verifier(const ServerFixture& server) : key_(directory_.write("audit-key.pem", audit_key(server))) {}

  CommandResult verify(const std::string& jws, std::vector<std::string> options = {}) const {
    return with_key(jws, key_, std::move(options));
  }
  CommandResult with_key(const std::string& jws, const std::string& key, std::vector<std::string> options = {}) const {
    std::vector<std::string> command = {program(), "evidence", "verify", directory_.write("evidence.jws", jws),
                                        "--key",   key};
    command.insert(command.end(), options.begin(), options.end());
    return run_command(command);
  }
  std::string write(const std::string& name, const std::string& content) const {
    return directory_.write(name, content);
  }
  const std::string& key() const { return key_; }

 private:
  TemporaryDirectory directory_;
  std::string key_;
};

std::string cka_id(const Json& made) {
  std::string id = made["id"].text();
  std::erase(id, '-');
  return id;
}

Body rsa(const std::string& name, int bits) {
  return certificate(name).set("algorithm", R"({"rsa_number_of_bits":)" + std::to_string(bits) + "}");
}

// The shell blocks of the document, in their order.
std::vector<std::string> blocks_of_document() {
  std::vector<std::string> blocks;
  std::istringstream lines(read_file(EVIDENCE_DOCUMENT));
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "```sh") {
      inside = true;
      blocks.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

}  // namespace

TEST_CASE("evidence on a key of every kind is good, and says what pkcs11-tool sees in the token") {
  const ServerFixture server;
  const Verifier verifier(server);
  const std::string slots = test_support::must_run({"softhsm2-util", "--show-slots"}, "", server.token().environment());
  struct Row {
    Body body;
    const char* type;
    std::int64_t bits;
    const char* mechanism;
  };
  const auto ec = [](int bits) {
    return certificate("ec " + std::to_string(bits))
        .set("algorithm", R"({"ecdsa_number_of_bits":)" + std::to_string(bits) + "}");
  };
  for (const Row& row : {Row{ec(256), "EC", 256, "CKM_EC_KEY_PAIR_GEN"}, Row{ec(384), "EC", 384, "CKM_EC_KEY_PAIR_GEN"},
                         Row{ec(521), "EC", 521, "CKM_EC_KEY_PAIR_GEN"},
                         Row{rsa("rsa 512", 512), "RSA", 512, "CKM_RSA_PKCS_KEY_PAIR_GEN"},
                         Row{rsa("rsa 2048", 2048), "RSA", 2048, "CKM_RSA_PKCS_KEY_PAIR_GEN"}}) {
    CAPTURE(row.bits);
    const Json made = server.must_generate(row.body);
    const std::string jws = evidence_on(server, made);
    const Json payload = payload_of(jws);
    CHECK(payload["nonce"].text() == kNonce);
    CHECK(payload["certificate"]["id"].text() == made["id"].text());
    CHECK(payload["certificate"]["name"].text() == made["name"].text());
    CHECK(payload["certificate"]["container"].text() == "folder:Shared");
    CHECK(payload["certificate"]["pem"].text() == made["public_key"].text());
    CHECK("sha256 Fingerprint=" + payload["certificate"]["fingerprint_sha256"].text() ==
          x509(made["public_key"].text(), {"-fingerprint", "-sha256"}));
    CHECK("serial=" + payload["certificate"]["serial"].text() == x509(made["public_key"].text(), {"-serial"}));
    CHECK(payload["probe"]["verdict"].text() == "keeps_keys");
    CHECK(holds(payload["probe"]["codes"].text(), "C_WrapKey CKR_KEY_UNEXTRACTABLE"));
    CHECK(payload["private_keys"].integer() == 1);
    CHECK(payload["key"]["id"].text() == cka_id(made));
    CHECK(payload["key"]["type"].text() == row.type);
    CHECK(payload["key"]["bits"].integer() == row.bits);
    CHECK(payload["key"]["generation_mechanism_name"].text() == row.mechanism);
    CHECK(payload["verdicts"].names() == kVerdicts);
    CHECK(failed(payload).empty());

    const std::string seen = server.token().pkcs11_tool({"--list-objects", "--type", "privkey", "--id", cka_id(made)});
    CAPTURE(seen);
    CHECK(holds(seen, "always sensitive, never extractable, local"));
    CHECK(holds(seen, "label:      " + payload["key"]["label"].text()));
    CHECK(holds(slots, payload["token"]["serial"].text()));
    CHECK(payload["token"]["module"].text() == "libsofthsm2.so");

    const std::string pem = verifier.write("certificate.pem", made["public_key"].text());
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{}, {"--nonce", kNonce}, {"--nonce", kNonce, "--certificate", pem}}) {
      const CommandResult result = verifier.verify(jws, options);
      CAPTURE(result.out);
      CHECK(result.exit_code == 0);
      CHECK_FALSE(holds(result.out, "FAIL"));
      for (const std::string& verdict : kVerdicts) CHECK(holds(result.out, "ok    " + verdict + ": "));
      CHECK(holds(result.out, "the evidence is good\n"));
    }
    CHECK(verifier.verify(jws + "\n").exit_code == 0);
  }
}

TEST_CASE("the recipes of docs/EVIDENCE.md verify evidence with openssl alone, as they are written") {
  const ServerFixture server;
  const std::vector<std::string> blocks = blocks_of_document();
  REQUIRE(blocks.size() == 5);
  for (const Body& body : {certificate("ec"), rsa("rsa", 2048)}) {
    const Json made = server.must_generate(body);
    const std::string jws = evidence_on(server, made);
    const auto recipe = [&](const std::string& block, const std::string& evidence, const Json& about) {
      const TemporaryDirectory directory;
      directory.write("evidence.jws", evidence);
      directory.write("audit-key.pem", audit_key(server));
      directory.write("certificate.pem", about["public_key"].text());
      return run_command({"sh", "-ec", "cd '" + directory.path().string() + "'\n" + block});
    };
    const std::string& audit_signature = blocks[2];
    const std::string& challenge = blocks[4];
    for (const std::string& block : {audit_signature, challenge}) {
      CAPTURE(block);
      const CommandResult good = recipe(block, jws, made);
      CHECK(good.out == "Verified OK\n");
      CHECK(good.exit_code == 0);
    }
    // And are not satisfied with anything.
    std::string changed = jws;
    changed[jws.size() / 2] = changed[jws.size() / 2] == 'A' ? 'B' : 'A';
    CHECK(recipe(audit_signature, changed, made).exit_code != 0);
    const Json other = server.must_generate(certificate("other " + made["name"].text()));
    CHECK(recipe(challenge, jws, other).exit_code != 0);
  }
}

TEST_CASE("evidence of which one character was changed is not good") {
  const ServerFixture server;
  const Verifier verifier(server);
  const std::string jws = evidence_on(server, server.must_generate(certificate("x")));
  REQUIRE(verifier.verify(jws).exit_code == 0);
  const std::size_t payload = jws.find('.') + 1;
  const std::size_t signature = jws.rfind('.');
  for (std::size_t at = 0; at < jws.size(); ++at) {
    // Of the payload, which is long, every seventeenth: its octets are all under the same signature.
    if (at > payload + 20 && at + 20 < signature && at % 17 != 0) continue;
    CAPTURE(at);
    std::string changed = jws;
    changed[at] = jws[at] == 'A' ? 'B' : 'A';
    const CommandResult result = verifier.verify(changed);
    CHECK(result.exit_code == 1);
    CHECK(holds(result.out, "NOT good"));
  }
}

TEST_CASE("what is cut off, put together or no evidence at all is not good") {
  const ServerFixture server;
  const Verifier verifier(server);
  const std::string one = evidence_on(server, server.must_generate(certificate("one")));
  const std::string two = evidence_on(server, server.must_generate(certificate("two")));
  const auto part = [](const std::string& jws, std::size_t number) {
    std::istringstream in(jws);
    std::string text;
    for (std::size_t i = 0; i <= number; ++i) std::getline(in, text, '.');
    return text;
  };
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("x"), std::string(".."), one.substr(0, one.size() - 1),
        one.substr(0, one.rfind('.')), one.substr(0, one.rfind('.') + 1), one + one, one + "\n" + two, "\n" + one,
        one + "\n\n", part(one, 0) + "." + part(two, 1) + "." + part(one, 2),
        part(one, 0) + "." + part(one, 1) + "." + part(two, 2), from_base64(part(one, 1))}) {
    const CommandResult result = verifier.verify(text);
    CAPTURE(result.out);
    CHECK(result.exit_code == 1);
    CHECK(holds(result.out, "the evidence is NOT good\n"));
  }
}

TEST_CASE("evidence is good for its key, its nonce and its certificate only") {
  const ServerFixture server;
  const ServerFixture stranger;
  const Verifier verifier(server);
  const Json made = server.must_generate(certificate("x"));
  const std::string jws = evidence_on(server, made);
  const std::string own = verifier.write("own.pem", made["public_key"].text());
  const std::string other = verifier.write("other.pem", server.must_generate(certificate("y"))["public_key"].text());

  CHECK(verifier.with_key(jws, verifier.write("stranger.pem", audit_key(stranger))).exit_code == 1);
  // The certificate's own key is not the audit key.
  CHECK(verifier.with_key(jws, verifier.write("key.pem", x509(made["public_key"].text(), {"-pubkey"}) + "\n"))
            .exit_code == 1);
  for (const char* nonce : {"", "a-nonce/of:mine~", "a-nonce/of:mine~2", "another"}) {
    CHECK(verifier.verify(jws, {"--nonce", nonce}).exit_code == 1);
  }
  CHECK(verifier.verify(evidence_on(server, made, ""), {"--nonce", kNonce}).exit_code == 1);
  CHECK(verifier.verify(evidence_on(server, made, "")).exit_code == 0);
  CHECK(verifier.verify(jws, {"--certificate", own}).exit_code == 0);
  const CommandResult elsewhere = verifier.verify(jws, {"--certificate", other});
  CHECK(elsewhere.exit_code == 1);
  CHECK(holds(elsewhere.out, "FAIL  the certificate asked about: another one\n"));
}

TEST_CASE("another thing that the audit key has signed is no evidence") {
  ServerFixture server;
  const Verifier verifier(server);
  server.must_generate(certificate("x"));
  REQUIRE(server.stop(SIGTERM) == 0);  // which makes a checkpoint
  const std::string checkpoint = sqlite(server, "SELECT jws FROM checkpoint ORDER BY number DESC LIMIT 1");
  REQUIRE(checkpoint != "");
  const CommandResult result = verifier.verify(checkpoint);
  CHECK(result.exit_code == 1);
  CHECK(holds(result.out, "ok    signature: "));
  CHECK(holds(result.out, "FAIL  type: hsm-signer-checkpoint+jws\n"));
}

TEST_CASE("files that cannot be read are told from evidence that is not good") {
  const ServerFixture server;
  const Verifier verifier(server);
  const Json made = server.must_generate(certificate("x"));
  const std::string jws = evidence_on(server, made);
  const std::string nowhere = "/nonexistent/file";
  const std::string garbage = verifier.write("garbage", "no PEM\n");
  CHECK(run_command({program(), "evidence", "verify", nowhere, "--key", verifier.key()}).exit_code == 2);
  CHECK(run_command({program(), "evidence", "verify", "/tmp", "--key", verifier.key()}).exit_code == 2);
  for (const std::string& key : {nowhere, garbage, verifier.write("certificate.pem", made["public_key"].text()),
                                 verifier.write("two.pem", audit_key(server) + audit_key(server))}) {
    const CommandResult result = verifier.with_key(jws, key);
    CAPTURE(result.out);
    CHECK(result.exit_code == 2);
    CHECK(holds(result.out, "--key: the file "));
  }
  for (const std::string& pem : {nowhere, garbage}) {
    CHECK(verifier.verify(jws, {"--certificate", pem}).exit_code == 2);
  }
  CHECK(run_command({program(), "evidence", "verify", "--key", verifier.key()}).exit_code == 2);
  CHECK(run_command({program(), "evidence", "verify", verifier.write("evidence.jws", jws)}).exit_code == 2);
}

TEST_CASE("a key that is not there, twice there or another one is what the evidence says") {
  const ServerFixture server;
  const Verifier verifier(server);
  const auto remove = [&](const Json& made) {
    server.token().pkcs11_tool({"--delete-object", "--type", "privkey", "--id", cka_id(made)});
  };
  const auto add = [&](const Json& made) {
    server.token().pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:prime256v1", "--id", cka_id(made), "--label", "stranger", "--usage-sign"});
  };

  const Json gone = server.must_generate(certificate("gone"));
  remove(gone);
  const std::string on_gone = evidence_on(server, gone);
  CHECK(payload_of(on_gone)["private_keys"].integer() == 0);
  // All that is said of a key; the last is of the token.
  CHECK(failed(payload_of(on_gone)) == std::vector<std::string>(kVerdicts.begin(), kVerdicts.end() - 1));
  CHECK_FALSE(payload_of(on_gone)["key"].exists());

  const Json twice = server.must_generate(certificate("twice"));
  add(twice);
  const std::string on_twice = evidence_on(server, twice);
  CHECK(payload_of(on_twice)["private_keys"].integer() == 2);
  CHECK(payload_of(on_twice)["verdicts"]["private_key_present"].text() == "pass");
  CHECK(failed(payload_of(on_twice)).size() == kVerdicts.size() - 2);

  const Json replaced = server.must_generate(certificate("replaced"));
  remove(replaced);
  add(replaced);
  const std::string on_replaced = evidence_on(server, replaced);
  CHECK(payload_of(on_replaced)["private_keys"].integer() == 1);
  CHECK(payload_of(on_replaced)["verdicts"]["unique"].text() == "pass");
  CHECK(payload_of(on_replaced)["verdicts"]["answers_challenge"].text() == "fail");

  // A key of another kind is not even asked.
  const Json other_kind = server.must_generate(rsa("other kind", 2048));
  remove(other_kind);
  add(other_kind);
  const std::string on_other_kind = evidence_on(server, other_kind);
  CHECK(payload_of(on_other_kind)["challenge"]["signature"].text() == "");
  CHECK(payload_of(on_other_kind)["verdicts"]["answers_challenge"].text() == "fail");
  CHECK(payload_of(on_other_kind)["verdicts"]["matches_record"].text() == "fail");

  for (const std::string& jws : {on_gone, on_twice, on_replaced, on_other_kind}) {
    const CommandResult result = verifier.verify(jws);
    CAPTURE(result.out);
    CHECK(result.exit_code == 1);
    CHECK(holds(result.out, "ok    signature: "));
    CHECK(holds(result.out, "FAIL  answers_challenge: "));
  }
}

TEST_CASE("a key that came from outside, or that may leave, is evidence of just that") {
  const ServerFixture server;
  const Json open = server.must_generate(certificate("open").set("is_block_privateKey", "false"));
  CHECK(failed(payload_of(evidence_on(server, open))) ==
        std::vector<std::string>{"not_extractable", "never_extractable"});

  const std::string key = new_key("P-256");
  const Json imported = must_import(server, import_body("imported", "pem", self_signed(key, "imported"), key));
  const Json payload = payload_of(evidence_on(server, imported));
  const std::vector<std::string> wrong = failed(payload);
  CHECK(std::count(wrong.begin(), wrong.end(), "local") == 1);
  CHECK(std::count(wrong.begin(), wrong.end(), "always_sensitive") == 1);
  CHECK(std::count(wrong.begin(), wrong.end(), "answers_challenge") == 0);
  CHECK(std::count(wrong.begin(), wrong.end(), "matches_record") == 0);
  CHECK(payload["key"]["generation_mechanism_name"].text() == "");
  const Verifier verifier(server);
  CHECK(verifier.verify(evidence_on(server, open)).exit_code == 1);
}

TEST_CASE("there is no evidence on what is not there, has no key or has not come yet") {
  const ServerFixture server;
  const Json made = server.must_generate(certificate("x"));
  const std::string id = made["id"].text();
  check_error(server.get("/certificates/" + id + "/evidence?folder=Other"), 404, "E005", "Object Not Present");
  CHECK(server.get("/certificates/" + id + "/evidence?folder=Shared&nonce=1").status == 200);
  CHECK(server.get("/config/identity/v1/certificates/" + id + "/evidence").status == 200);
  CHECK(server.get("/sse/config/v1/certificates/" + id + "/evidence").status == 200);
  REQUIRE(server.send({"DELETE", "/certificates/" + id, {}, ""}).status == 200);
  check_error(server.get("/certificates/" + id + "/evidence"), 404, "E005", "Object Not Present");
  check_error(server.get("/certificates/00000000-0000-4000-8000-000000000000/evidence"), 404, "E005",
              "Object Not Present");

  const Json pending = server.must_generate(certificate("pending").text("signed_by", "external"));
  CHECK(names_field(check_error(server.get(path_of(pending)), 400, "E003", "Invalid Command"), "id"));
  const Json keyless = must_import(server, import_body("public", "pem", self_signed(new_key("P-256"), "public")));
  CHECK(names_field(check_error(server.get(path_of(keyless)), 400, "E003", "Invalid Command"), "id"));
}

TEST_CASE("the nonce is visible ASCII, 1 to 128 characters, and nothing else is asked of evidence") {
  const ServerFixture server;
  const Json made = server.must_generate(certificate("x"));
  const std::string path = path_of(made);
  const std::string longest(128, '~');
  CHECK(payload_of(evidence_on(server, made, longest))["nonce"].text() == longest);
  // Quotation marks and backslashes come back as they are.
  CHECK(payload_of(evidence_on(server, made, "%22%5C%22%2C%22time%22%3A"))["nonce"].text() == "\"\\\",\"time\":");
  for (const std::string& nonce : {std::string(), longest + "~", std::string("a%20b"), std::string("a%0Ab"),
                                   std::string("%00"), std::string("%7F"), std::string("%C3%A4")}) {
    CAPTURE(nonce);
    CHECK(server.get(path + "?nonce=" + nonce).status == 400);
  }
  CHECK(server.get(path + "?nonce=a&nonce=b").status == 400);
  CHECK(server.get(path + "?limit=1").status == 400);
  CHECK(server.get(path + "/more").status == 400);
  CHECK(server.get("/certificates/" + made["id"].text() + "/other").status == 400);
  CHECK(server.post(path, "{}").status == 501);
}

TEST_CASE("evidence is application/jose for whoever takes that") {
  const ServerFixture server;
  const std::string path = path_of(server.must_generate(certificate("x")));
  for (const char* accept : {"application/jose", "application/*", "*/*", "text/html, application/jose;q=0.1"}) {
    CHECK(server.send({"GET", path, {{"Accept", accept}}, ""}).status == 200);
  }
  for (const char* accept : {"application/json", "application/jose;q=0", "text/plain"}) {
    CHECK(server.send({"GET", path, {{"Accept", accept}}, ""}).status == 400);
  }
  const Reply head = server.send({"HEAD", path, {}, ""});
  CHECK(head.status == 200);
  CHECK(head.body == "");
}

TEST_CASE("evidence goes by the container: elsewhere it is not there, and to read is not enough") {
  const ServerFixture server;
  const Json made = server.must_generate(certificate("x"));
  const auto token = [&](const std::string& name, const std::vector<std::string>& grants) {
    return server.access_token(server.create_account(name, grants));
  };
  const auto ask = [&](const std::string& bearer) { return call(server, bearer, "GET", path_of(made)); };
  CHECK(ask(token("auditor-here", {"auditor=folder:Shared"})).status == 200);
  check_error(ask(token("auditor-there", {"auditor=folder:Other"})), 404, "E005", "Object Not Present");
  check_error(ask(token("reader-here", {"reader=folder:Shared"})), 403, "E007", "Unauthorized");
  check_error(ask(token("mixed", {"reader=folder:Shared", "auditor=folder:Other"})), 403, "E007", "Unauthorized");
  check_error(server.send({"GET", path_of(made), {{"Authorization", "none"}}, ""}), 401, "E016", "Not Authenticated");
}

TEST_CASE("a token that does not answer is an error, not evidence against the key") {
  const ServerFixture server({.settings = {}, .environment = {}, .faults = true});
  const Json made = server.must_generate(certificate("x"));
  for (const char* plan : {"C_GetAttributeValue rv=CKR_GENERAL_ERROR\n", "C_FindObjectsInit rv=CKR_DEVICE_ERROR\n",
                           "C_Sign rv=CKR_DEVICE_ERROR\n", "C_GenerateRandom rv=CKR_DEVICE_ERROR\n"}) {
    CAPTURE(plan);
    server.plan(plan);
    const Reply reply = server.get(path_of(made));
    CHECK(reply.status >= 500);
    CHECK(reply.header("content-type") == "application/json");
  }
  server.plan("");
  CHECK(sqlite(server, "SELECT count(*) FROM event WHERE kind = 'evidence_given'") == "0");
}

TEST_CASE("the journal is told before evidence goes out, with its nonce and its digest") {
  const ServerFixture server;
  const Json made = server.must_generate(certificate("x"));
  const std::string jws = evidence_on(server, made);
  const std::string line = sqlite(server, "SELECT line FROM event WHERE kind = 'evidence_given'");
  const Json event = Json::parse(line);
  CAPTURE(line);
  CHECK(event["object"].text() == made["id"].text());
  CHECK(event["container"].text() == "folder:Shared");
  CHECK(event["account"].text() == server.everything().client_id);
  CHECK(event["details"]["nonce"].text() == kNonce);
  CHECK(event["details"]["failed"].text() == "");
  const std::string digest = test_support::must_run({"openssl", "dgst", "-sha256", "-r"}, jws);
  CHECK(event["details"]["jws_sha256"].text() == digest.substr(0, 64));

  sqlite(server, "CREATE TRIGGER refusing BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'no'); END");
  const Reply refused = server.get(path_of(made));
  CHECK(refused.status >= 500);
  CHECK(refused.body.find("eyJ") == std::string::npos);
}
