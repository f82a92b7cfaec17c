// Several tokens: where keys go, that each call finds the right one, and what happens when one of them is away.
#include <doctest/doctest.h>

#include <csignal>
#include <sstream>
#include <thread>

#include "support/remote_token.h"
#include "system/account_calls.h"
#include "system/files.h"
#include "system/server.h"
#include "system/x509.h"

using namespace system_test;
using test_support::CommandResult;
using test_support::RemoteToken;

namespace {

using Token = std::map<std::string, std::string>;

const Token kCa = {{"holds", R"(["authorities", "service"])"}};  // the fixture's own token
Token leaves_in(const std::string& label) { return {{"label", quote(label)}, {"holds", R"(["leaves"])"}}; }

// Authorities in the fixture's token, leaves in two others of the same directory.
class World : public ServerFixture {
 public:
  World() : ServerFixture({}, false) {
    token().add_token("leaf-a");
    token().add_token("leaf-b");
    set_tokens({kCa, leaves_in("leaf-a"), leaves_in("leaf-b")});
    start();
  }

  // Keys of certificates, counted by another program.
  std::size_t authorities() const { return keys(); }
  std::size_t in_a() const { return token().count_objects("leaf-a"); }
  std::size_t in_b() const { return token().count_objects("leaf-b"); }
};

std::string serial_of(const ServerFixture& server, const std::string& label) {
  const CommandResult shown = test_support::run_command(
      {program(), "token", "list", "--module", test_support::SoftHsm::module_path()}, "", server.token().environment());
  const std::size_t at = shown.out.find("serial        ", shown.out.find("label         " + label + "\n")) + 14;
  return shown.out.substr(at, shown.out.find('\n', at) - at);
}

Body authority(const std::string& name) { return certificate(name).set("is_certificate_authority", "true"); }
std::string token_of(const Json& made) { return made["key"]["token_label"].text(); }
std::string path_of(const Json& made) { return "/certificates/" + made["id"].text(); }
Reply remove(const ServerFixture& server, const Json& made) { return server.send({"DELETE", path_of(made), {}, ""}); }

Json payload_of(const std::string& jws) {
  const std::size_t first = jws.find('.') + 1;
  return Json::parse(from_base64(jws.substr(first, jws.find('.', first) - first)));
}

// One leaf in each of the two, with others that were made on the way.
struct Leaves {
  std::optional<Json> a, b;
};

Leaves one_in_each(const ServerFixture& server, const std::string& issuer, const Body& like) {
  Leaves made;
  for (int i = 0; i < 64 && !(made.a && made.b); ++i) {
    Body body = like;
    Json leaf =
        server.must_generate(body.text("certificate_name", "leaf-" + std::to_string(i)).text("signed_by", issuer));
    (token_of(leaf) == "leaf-a" ? made.a : made.b) = std::move(leaf);
  }
  REQUIRE(made.a);
  REQUIRE(made.b);
  return made;
}

}  // namespace

TEST_CASE("keys of authorities stay in their token, those of leaves are spread over the others") {
  const World server;
  const Json root = server.must_generate(authority("root"));
  const Json sub = server.must_generate(authority("sub").text("signed_by", "root"));
  CHECK(token_of(root) == server.token().label());
  CHECK(token_of(sub) == server.token().label());
  constexpr std::size_t kLeaves = 40;
  std::size_t in_a = 0;
  for (std::size_t i = 0; i < kLeaves; ++i) {
    const Json leaf =
        server.must_generate(certificate("leaf-" + std::to_string(i)).text("signed_by", i % 2 == 0 ? "root" : "sub"));
    CHECK(verify(leaf["public_key"].text(), sub["public_key"].text(), root["public_key"].text()) == "");
    CHECK((token_of(leaf) == "leaf-a" || token_of(leaf) == "leaf-b"));
    in_a += token_of(leaf) == "leaf-a" ? 1U : 0U;
  }
  CHECK(server.authorities() == 2);
  CHECK(server.in_a() == in_a);
  CHECK(server.in_b() == kLeaves - in_a);
  // A fair coin is outside of this once in a hundred thousand times.
  CHECK(in_a >= 6);
  CHECK(in_a <= kLeaves - 6);

  // A leaf's own signature, and a signing request's: by its own token.
  CHECK(token_of(server.must_generate(certificate("self"))).starts_with("leaf-"));
  CHECK(token_of(server.must_generate(certificate("request").text("signed_by", "external"))).starts_with("leaf-"));
  const Json pending = server.must_generate(authority("pending").text("signed_by", "external"));
  CHECK(token_of(pending) == server.token().label());
}

TEST_CASE("each token has keys made ahead, and they are filled one by one") {
  World server;
  server.must_generate(authority("root"));
  const CommandResult which = server.command({"pool", "fill", "--class", "P-256", "--count", "3"});
  CHECK(which.exit_code != 0);
  CHECK(holds(which.out, "--token: several tokens hold leaves"));
  CHECK(holds(server.command({"pool", "fill", "--class", "P-256", "--count", "3", "--token", "x"}).out,
              "--token: no configured token has this label or serial number"));
  CHECK(server.command({"pool", "fill", "--class", "P-256", "--count", "3", "--token", "leaf-b"}).exit_code == 0);
  CHECK(server.in_a() == 0);
  CHECK(server.in_b() == 3);

  CHECK(server.stop(SIGTERM) == 0);
  server.set("pool.enabled", R"("on")");
  server.set("pool.classes", R"(["P-256:5:8"])");
  server.start();
  // Authorities are made ahead in their token too.
  const auto full = [&] { return server.in_a() == 8 && server.in_b() == 8 && server.authorities() == 9; };
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
       !full() && std::chrono::steady_clock::now() < end;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  CHECK_MESSAGE(full(), server.in_a() << " " << server.in_b() << " " << server.authorities());
  const Leaves leaves = one_in_each(server, "root", certificate("x"));
  for (const Json& leaf : {*leaves.a, *leaves.b}) {
    const Json evidence = payload_of(server.get(path_of(leaf) + "/evidence").body);
    CHECK(evidence["verdicts"]["answers_challenge"].text() == "pass");
    CHECK(evidence["verdicts"]["matches_record"].text() == "pass");
  }
  CHECK(server.get("/reports/compliance").json()["inventory"]["orphans"]["total"].integer() == 0);
  CHECK(server.stop(SIGTERM) == 0);
}

TEST_CASE("deletion, export, import and evidence find the token that has the key") {
  const World server;
  server.must_generate(authority("root"));
  const Leaves leaves = one_in_each(server, "root", certificate("x").set("is_block_privateKey", "false"));
  const std::size_t all = server.in_a() + server.in_b();

  for (const Json& leaf : {*leaves.a, *leaves.b}) {
    const std::string label = token_of(leaf);
    CAPTURE(label);
    const std::string pem = must_export(server, leaf, "pem", "a-passphrase");
    const std::string key = openssl({"pkey", "-passin", "pass:a-passphrase"}, pem);
    CHECK(public_key_of_key(key) == public_key_of_certificate(leaf["public_key"].text()));

    const Reply reply = server.get(path_of(leaf) + "/evidence");
    REQUIRE_MESSAGE(reply.status == 200, reply.body);
    const Json evidence = payload_of(reply.body);
    CHECK(evidence["token"]["label"].text() == label);
    CHECK(evidence["token"]["serial"].text() == leaf["key"]["token_serial"].text());
    CHECK(evidence["verdicts"]["answers_challenge"].text() == "pass");
    CHECK(evidence["verdicts"]["matches_record"].text() == "pass");
    CHECK(evidence["verdicts"]["unique"].text() == "pass");
  }

  for (int i = 0; i < 6; ++i) {
    const std::string name = "imported-" + std::to_string(i);
    const std::string key = new_key("P-256");
    CHECK(token_of(must_import(server, import_body(name, "pem", self_signed(key, name), key))).starts_with("leaf-"));
    const std::string ca_key = new_key("P-256");
    const Json ca = must_import(server, import_body("ca-" + name, "pem", self_signed(ca_key, name, true), ca_key));
    CHECK(token_of(ca) == server.token().label());
    CHECK(why_not_usable(server, ca, "under-" + name) == "");
  }
  CHECK(server.authorities() == 7);
  CHECK(server.in_a() + server.in_b() == all + 12);

  const std::size_t before_a = server.in_a(), before_b = server.in_b();
  CHECK(remove(server, *leaves.a).status == 200);
  CHECK(server.in_a() == before_a - 1);
  CHECK(server.in_b() == before_b);
  CHECK(remove(server, *leaves.b).status == 200);
  CHECK(server.in_b() == before_b - 1);
}

TEST_CASE("the report compares every token with the records, and names the one where something is wrong") {
  const World server;
  server.must_generate(authority("root"));
  const Leaves leaves = one_in_each(server, "root", certificate("x"));
  Json report = server.get("/reports/compliance").json();
  CHECK(report["inventory"]["orphans"]["total"].integer() == 0);
  CHECK(report["inventory"]["missing"]["total"].integer() == 0);
  CHECK(report["inventory"]["service_keys"].integer() == 2);
  CHECK(report["inventory"]["token_private_keys"].integer() ==
        static_cast<std::int64_t>(server.authorities() + 2 + server.in_a() + server.in_b()));
  CHECK(report["challenges"]["answered"].integer() == report["challenges"]["eligible"].integer());
  CHECK(report["token"]["label"].text() == server.token().label());
  REQUIRE(report["further_tokens"].items().size() == 2);
  CHECK(report["further_tokens"].at(0)["token"]["label"].text() == "leaf-a");
  CHECK(report["further_tokens"].at(1)["token"]["label"].text() == "leaf-b");
  CHECK(report["further_tokens"].at(1)["probe"]["outcome"].text() == "keeps_keys");

  // An unknown key with the id of a leaf that is elsewhere is of no use to anybody there; and one that has gone.
  std::string id = leaves.a->operator[]("id").text();
  std::erase(id, '-');
  server.token().pkcs11_tool(
      {"--keypairgen", "--key-type", "EC:prime256v1", "--id", id, "--label", "x", "--usage-sign"}, "leaf-b");
  std::string gone = leaves.b->operator[]("id").text();
  std::erase(gone, '-');
  server.token().pkcs11_tool({"--delete-object", "--type", "privkey", "--id", gone}, "leaf-b");
  // By the command line: SoftHSM in the server does not see for certain what another process has made.
  const std::string json = server.state().file("report.json");
  REQUIRE(server.command({"report", "--format", "json", "--output", json}).exit_code == 0);
  report = Json::parse(test_support::read_file(json));
  const Json& inventory = report["inventory"];
  REQUIRE(inventory["orphans"]["total"].integer() == 1);
  CHECK(inventory["orphans"]["shown"].at(0)["id"].text() == id);
  CHECK(holds(inventory["orphans"]["shown"].at(0)["detail"].text(),
              ", in the token " + leaves.b->operator[]("key")["token_serial"].text()));
  REQUIRE(inventory["missing"]["total"].integer() == 1);
  CHECK(inventory["missing"]["shown"].at(0)["id"].text() == leaves.b->operator[]("id").text());
  CHECK(inventory["duplicates"]["total"].integer() == 0);

  const std::string file = server.state().file("report.html");
  const CommandResult made = server.command({"report", "--output", file});
  REQUIRE_MESSAGE(made.exit_code == 0, made.out);
  const std::string html = test_support::read_file(file);
  for (const char* label : {"leaf-a", "leaf-b"}) CHECK(holds(html, "<h3>Token <bdi>" + std::string(label)));
}

TEST_CASE("commands show and probe each token, and the journal has the settings of each") {
  const World server;
  const CommandResult shown = server.command({"token", "show"});
  CHECK(shown.exit_code == 0);
  for (const char* line : {"label         leaf-a\n", "label         leaf-b\n", "holds         authorities, service\n",
                           "holds         leaves\n"}) {
    CHECK_MESSAGE(holds(shown.out, line), shown.out);
  }
  const CommandResult probed = server.command({"token", "probe", "--quick"});
  CHECK(probed.exit_code == 0);
  std::size_t conclusions = 0;
  for (std::size_t at = 0; (at = probed.out.find("conclusion: ", at)) != std::string::npos; ++at) ++conclusions;
  CHECK(conclusions == 3);
  CHECK(server.command({"access-token-key", "rotate"}).exit_code == 0);
  const std::string events = server.get("/audit/events?kind=settings_changed").body;
  CHECK(holds(events, R"("token[1].holds":"[\"authorities\", \"service\"]")"));
  CHECK(holds(events, R"("token[3].label":"\"leaf-b\"")"));
  const std::string probes = server.get("/audit/events?kind=token_probed").body;
  std::size_t probe_events = 0;
  for (std::size_t at = 0; (at = probes.find("\"verdict\":\"keeps_keys\"", at)) != std::string::npos; ++at)
    ++probe_events;
  CHECK(probe_events == 3);
}

TEST_CASE("a token taken out of the settings: what needs its keys is answered 503, everything else goes on") {
  World server;
  const Json root = server.must_generate(authority("root"));
  const Leaves leaves = one_in_each(server, "root", certificate("x").set("is_block_privateKey", "false"));
  const std::size_t in_b = server.in_b();
  CHECK(server.stop(SIGTERM) == 0);
  server.set_tokens({kCa, leaves_in("leaf-a")});
  server.start();

  const std::string serial = leaves.b->operator[]("key")["token_serial"].text();
  const std::string sentence = "the token " + serial + ", which has the key, is not configured";
  const auto refused = [&](const Reply& reply) {
    INFO(reply.body);
    CHECK(reply.status == 503);
    CHECK(holds(reply.body, sentence));
  };
  refused(remove(server, *leaves.b));
  refused(server.get(path_of(*leaves.b) + "/evidence"));
  refused(export_as(server, *leaves.b, "pem", "a-passphrase"));
  CHECK(server.in_b() == in_b);
  CHECK(server.get(path_of(*leaves.b)).status == 200);
  CHECK(must_export(server, *leaves.b, "pem") != "");
  CHECK(server.get(path_of(*leaves.a) + "/evidence").status == 200);
  CHECK(token_of(server.must_generate(certificate("new").text("signed_by", "root"))) == "leaf-a");
  CHECK(holds(server.get("/reports/compliance").json()["inventory"]["missing"]["shown"].at(0)["detail"].text(),
              "the token " + serial + " is not configured"));
  CHECK(!holds(server.get("/audit/events?kind=deletion_begun").body, "\"deletion_begun\""));

  // It is back; or its keys are elsewhere, which former_serials would tell.
  CHECK(server.stop(SIGTERM) == 0);
  server.set_tokens({kCa, leaves_in("leaf-a"), leaves_in("leaf-b")});
  server.start();
  CHECK(server.get(path_of(*leaves.b) + "/evidence").status == 200);
  CHECK(remove(server, *leaves.b).status == 200);
  CHECK(server.in_b() == in_b - 1);
}

TEST_CASE("an authority whose token is not configured issues nothing, and says why") {
  World server;
  server.must_generate(authority("root"));
  CHECK(server.stop(SIGTERM) == 0);
  // Another token takes over the service: it makes keys of its own for that.
  server.set_tokens({leaves_in("leaf-a"), {{"label", quote("leaf-b")}, {"holds", R"(["authorities", "service"])"}}});
  server.start();
  const Reply reply = server.generate(certificate("leaf").text("signed_by", "root"));
  CHECK(reply.status == 503);
  CHECK_MESSAGE(holds(reply.body, "which has the key, is not configured"), reply.body);
  CHECK(server.in_a() == 0);
  CHECK(token_of(server.must_generate(authority("other"))) == "leaf-b");
}

TEST_CASE("each token has its own PIN: from its file or its variable, whoever else has one of that name") {
  World server;
  CHECK(server.stop(SIGTERM) == 0);
  Token by_file = leaves_in("leaf-a"), by_variable = leaves_in("leaf-b");
  by_file["pin_env"] = by_variable["pin_env"] = quote("LEAVES_PIN");
  by_variable["pin_file"] = "";
  server.set_tokens({kCa, by_file, by_variable});
  CHECK(holds(server.run_to_end().out, "token[3]: there is no PIN (User PIN of the token leaf-b)"));
  server.set_environment("LEAVES_PIN", server.token().pin());
  server.start();
  server.must_generate(authority("root"));
  one_in_each(server, "root", certificate("x"));
}

TEST_CASE("a start with tokens that are not as configured tells which one is at fault") {
  World server;
  CHECK(server.stop(SIGTERM) == 0);
  const auto told = [&](std::vector<Token> tokens) {
    server.set_tokens(std::move(tokens));
    const CommandResult result = server.run_to_end();
    CHECK(result.exit_code != 0);
    return result.out;
  };
  CHECK(holds(told({kCa, leaves_in("absent")}), "token[2]: no token has the configured label and serial number"));
  const std::string wrong = server.state().write("wrong-pin", "999999\n");
  Token mistaken = leaves_in("leaf-b");
  mistaken["pin_file"] = quote(wrong);
  CHECK(holds(told({kCa, leaves_in("leaf-a"), mistaken}), "token[3]: the token refused the PIN"));
  // The same token by its label and by its serial number.
  Token twin = {{"label", ""}, {"serial", quote(serial_of(server, "leaf-a"))}, {"holds", R"(["leaves"])"}};
  CHECK(holds(told({kCa, leaves_in("leaf-a"), twin}), "two of the configured tokens have the serial number"));
  CHECK(holds(told({kCa, {{"label", quote("leaf-a")}}}), "token.holds: several tokens hold \"service\""));
  CHECK(holds(told({kCa}), "token.holds: the only token must hold \"leaves\""));
}

TEST_CASE("one token that does not keep its keys is accepted for itself, not for the others") {
  ServerOptions options;
  options.faults = true;
  ServerFixture server(options, false);
  server.token().add_token("leaf-a");
  // All of these do so: they are behind one module.
  server.plan(
      "C_GenerateKeyPair set=extractable:true\n"
      "C_GetAttributeValue report=extractable:false\n"
      "C_GetAttributeValue report=never_extractable:true\n");
  Token ca = kCa;
  ca["accept_leaking_token"] = quote(serial_of(server, server.token().label()));
  server.set_tokens({ca, leaves_in("leaf-a")});
  const CommandResult refused = server.run_to_end();
  CHECK(refused.exit_code == 1);
  CHECK_MESSAGE(holds(refused.out, "token[2]: the token does not keep its keys"), refused.out);
  CHECK(holds(refused.out, "token[2].accept_leaking_token = \"" + serial_of(server, "leaf-a") + "\""));
  CHECK_FALSE(holds(refused.out, "token[1]: "));
  CHECK(holds(refused.out, "accepted although it was not shown to keep its keys"));
}

TEST_CASE("token probe of several tokens that is ended by a signal goes on to no other token") {
  ServerOptions options;
  options.faults = true;
  ServerFixture server(options, false);
  server.token().add_token("leaf-a");
  server.set_tokens({kCa, leaves_in("leaf-a")});
  server.plan("C_GenerateKeyPair rv=CKR_FUNCTION_FAILED\n");
  CHECK(server.run_to_end().exit_code == 1);  // writes the configuration
  server.plan("C_WrapKey delay_ms=150\n");
  const CommandResult result =
      test_support::run_command({"timeout", "--foreground", "--preserve-status", "--signal=TERM", "1", program(),
                                 "token", "probe", "--config", server.config_file()},
                                "", server.environment());
  CHECK_MESSAGE(result.exit_code == 143, result.out);
  CHECK(holds(result.out, "interrupted"));
  CHECK_FALSE(holds(result.out, "conclusion"));
  CHECK(result.out.find("probing with") == result.out.rfind("probing with"));
  CHECK(server.token().count_objects() + server.token().count_objects("leaf-a") == 0);
}

TEST_CASE("a token behind another module that goes away: its keys wait, and the others go on") {
  if (const auto reason = RemoteToken::why_not()) {
    MESSAGE("test skipped: " << *reason);
    return;
  }
  const test_support::SoftHsm far("leaf-b");
  RemoteToken remote(far);
  ServerFixture server({}, false);
  server.token().add_token("leaf-a");
  Token behind = leaves_in("leaf-b");
  behind["module"] = quote(RemoteToken::module_path());
  server.set_tokens({kCa, leaves_in("leaf-a"), behind});
  server.start();
  server.must_generate(authority("root"));
  const Leaves leaves = one_in_each(server, "root", certificate("x"));

  remote.kill();
  for (int i = 0; i < 12; ++i) {
    const Json leaf = server.must_generate(certificate("meanwhile-" + std::to_string(i)).text("signed_by", "root"));
    CHECK(token_of(leaf) == "leaf-a");
  }
  CHECK(server.get(path_of(*leaves.b) + "/evidence").status == 503);
  CHECK(remove(server, *leaves.b).status == 503);
  CHECK(server.get(path_of(*leaves.b)).status == 200);
  CHECK(server.get(path_of(*leaves.a) + "/evidence").status == 200);

  remote.start();
  int status = 0;
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
       status != 200 && std::chrono::steady_clock::now() < end;) {
    status = server.get(path_of(*leaves.b) + "/evidence").status;
    if (status != 200) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  CHECK(status == 200);
  CHECK(remove(server, *leaves.b).status == 200);
  const std::string lost = server.get("/audit/events?kind=token_lost").body;
  CHECK_MESSAGE(holds(lost, leaves.b->operator[]("key")["token_serial"].text()), lost);
  CHECK(server.stop(SIGTERM) == 0);
}
