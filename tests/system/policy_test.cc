// Policy profiles over HTTP: what a container's profile refuses is told by field, profile and rule, and leaves nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "system/files.h"
#include "system/x509.h"

using namespace system_test;

namespace {

const std::string kExample = SOURCE_DIRECTORY "/examples/policy-payments.toml";

// A directory of profiles, and the settings that name it.
struct Profiles {
  test_support::TemporaryDirectory directory;
  ServerOptions options;

  Profiles() {
    directory.write("payments.toml", test_support::read_file(kExample));
    options.settings["policy.directory"] = quote(directory.file(""));
    options.settings["policy.containers"] = quote_all(
        {"folder:Modern=modern", "folder:Web=cabf-tls", "folder:Fips=fips", "folder:Pay=payments", "device:Web=scm"});
  }
  void add(const std::string& name, const std::string& rules) const {
    directory.write(name + ".toml", "name = \"" + name + "\"\ndescription = \"d\"\n[rules]\n" + rules);
  }
};

Body in(const std::string& folder, const std::string& name) { return certificate(name).text("folder", folder); }
Body authority(const std::string& folder, const std::string& name) {
  return in(folder, name).set("is_certificate_authority", "true");
}

bool any_starts(const std::vector<std::string>& sentences, const std::string& start) {
  return std::any_of(sentences.begin(), sentences.end(),
                     [&](const std::string& sentence) { return sentence.starts_with(start); });
}

// What is refused, that it is refused for these reasons alone, and that it left nothing in the token or the store.
void check_refused(const ServerFixture& server, const Body& body, const std::vector<std::string>& starts) {
  const std::size_t keys = server.keys();
  const std::size_t rows = server.rows();
  const std::string request = body.json();
  CAPTURE(request);
  const Reply reply = server.generate(body);
  CAPTURE(reply.body);
  const std::vector<std::string> sentences = check_invalid_object(reply);
  CHECK(sentences.size() == starts.size());
  for (const std::string& start : starts) {
    CAPTURE(start);
    CHECK(any_starts(sentences, start));
  }
  CHECK(server.keys() == keys);
  CHECK(server.rows() == rows);
}

// Of this request, by another authority, from 2020 to 2050.
std::string sign_backdated(const std::string& request, const std::string& authority, const std::string& key) {
  const test_support::TemporaryDirectory directory;
  directory.write("index", "");
  directory.write("serial", "01");
  const std::string config = "[ca]\ndefault_ca = d\n[d]\nnew_certs_dir = " + directory.file("") +
                             "\ndatabase = " + directory.file("index") + "\nserial = " + directory.file("serial") +
                             "\ndefault_md = sha256\npolicy = p\n[p]\ncommonName = optional\n";
  test_support::must_run({"openssl",      "ca",
                          "-batch",       "-notext",
                          "-rand_serial", "-preserveDN",
                          "-config",      directory.write("config", config),
                          "-cert",        directory.write("ca.pem", authority),
                          "-keyfile",     directory.write("ca.key", key),
                          "-startdate",   "20200101000000Z",
                          "-enddate",     "20500101000000Z",
                          "-extfile",     directory.write("extensions", "basicConstraints=critical,CA:FALSE\n"),
                          "-in",          directory.write("request.pem", request),
                          "-out",         directory.file("certificate.pem")});
  return test_support::read_file(directory.file("certificate.pem"));
}

const char* const kRsa1024 = R"({"rsa_number_of_bits":1024})";
const char* const kRsa2048 = R"({"rsa_number_of_bits":2048})";
const char* const kP384 = R"({"ecdsa_number_of_bits":384})";

}  // namespace

TEST_CASE("without a setting the published contract holds: weak choices are made, and warned of") {
  const ServerFixture server;
  const Json made = server.must_generate(certificate("weak").set("algorithm", kRsa1024).text("digest", "md5"));
  CHECK(made["warnings"].texts().size() == 2);
  CHECK(server.generate(certificate("open").set("is_block_privateKey", "false")).status == 201);
  CHECK(server.generate(certificate("long").set("day_till_expiration", "36500")).status == 201);
}

TEST_CASE("each container has its own profile, and a refusal names field, profile and rule") {
  const Profiles profiles;
  const ServerFixture server(profiles.options);
  check_refused(server, in("Modern", "a").set("algorithm", kRsa1024).text("digest", "sha1"),
                {"algorithm: profile modern, rule min-rsa-bits (NIST SP 800-57 part 1, table 2): RSA keys must have at "
                 "least 2048 bits",
                 "digest: profile modern, rule digests (NIST SP 800-131A, section 9): the signature's digest must be "
                 "one of sha256, sha384, sha512"});
  check_refused(server, in("Fips", "a").text("digest", "sha1"), {"digest: profile fips, rule digests "});
  check_refused(server, authority("Web", "root").set("day_till_expiration", "9132").set("is_block_privateKey", "false"),
                {"day_till_expiration: profile cabf-tls, rule max-ca-days (BR 7.1.2.1.1): ",
                 "is_block_privateKey: profile cabf-tls, rule allow-exportable-keys (BR 6.2.7): "});
  check_refused(server, authority("Web", "root").set("algorithm", kP384),
                {"digest: profile cabf-tls, rule digest-fits-curve (BR 7.1.3.2.2): "});

  CHECK(server.generate(in("Modern", "a").set("algorithm", kRsa2048)).status == 201);
  CHECK(server.generate(in("Fips", "a").set("algorithm", kP384)).status == 201);
  CHECK(server.generate(authority("Web", "root").set("day_till_expiration", "9131")).status == 201);
  CHECK(server.generate(in("Elsewhere", "a").set("algorithm", kRsa1024).text("digest", "sha1")).status == 201);
  CHECK(server.generate(certificate("a").drop("folder").text("device", "Web").text("digest", "sha1")).status == 201);
  CHECK(server.keys() == server.rows());
}

TEST_CASE("cabf-tls makes no key for a leaf, for a signing request neither, and says what to do instead") {
  const Profiles profiles;
  const ServerFixture server(profiles.options);
  server.must_generate(authority("Web", "root").set("day_till_expiration", "3650"));
  const Body leaf = in("Web", "leaf").text("common_name", "www.example.com").set("day_till_expiration", "100");
  const std::string rule = "algorithm: profile cabf-tls, rule allow-leaf-key-generation (BR 6.1.1.3): ";
  check_refused(server, Body(leaf).text("signed_by", "root"), {rule});
  check_refused(server, Body(leaf).text("signed_by", "external"), {rule});
  check_refused(server, leaf, {rule, "signed_by: profile cabf-tls, rule allow-self-signed-leaf (BR 7.1.2.7): "});
  const Json error = server.generate(leaf).json()["_errors"].at(0);
  CAPTURE(server.generate(leaf).body);
  CHECK(error["help"].text().find("only a subscriber's own request may be signed") != std::string::npos);
  // No SAN, 365 days by default, a mail address.
  check_refused(server, in("Web", "leaf").text("signed_by", "root").text("email", "a@example.com"),
                {rule, "day_till_expiration: profile cabf-tls, rule max-leaf-days (BR 6.3.2): ",
                 "email: profile cabf-tls, rule permitted-mail (BR 7.1.2.7.12): ",
                 "hostname: profile cabf-tls, rule san-required (BR 7.1.2.7.12): "});
  CHECK(server.generate(authority("Web", "sub").text("signed_by", "external")).status == 201);
}

TEST_CASE("the faults of the form, of the issuer and of the profile come in one answer") {
  const Profiles profiles;
  const ServerFixture server(profiles.options);
  check_refused(server,
                in("Modern", "x")
                    .set("algorithm", kRsa1024)
                    .text("country_code", "Germany")
                    .text("signed_by", "nobody")
                    .set("day_till_expiration", "0"),
                {"country_code: ", "day_till_expiration: must", "signed_by: no certificate here",
                 "algorithm: profile modern, rule min-rsa-bits "});
}

TEST_CASE("a weak authority of another container signs nothing in one with a profile") {
  const Profiles profiles;
  const ServerFixture server(profiles.options);
  server.must_generate(authority("Weak", "weak root").set("algorithm", kRsa1024));
  check_refused(server, in("Modern", "leaf").text("signed_by", "weak root"),
                {"signed_by: profile modern, rule min-rsa-bits "});
  CHECK(server.generate(in("Weak", "leaf").text("signed_by", "weak root")).status == 201);
}

TEST_CASE("an authority signs nothing that its own container's profile refuses, wherever it is to stand") {
  const Profiles profiles;
  const ServerFixture server(profiles.options);
  server.must_generate(authority("Modern", "modern root"));
  server.must_generate(authority("Web", "web root").set("day_till_expiration", "3650"));
  check_refused(server, in("Elsewhere", "leaf").text("signed_by", "modern root").text("digest", "sha1"),
                {"digest: profile modern, rule digests "});
  check_refused(server, in("Elsewhere", "leaf").text("signed_by", "web root").set("day_till_expiration", "199"),
                {"hostname: profile cabf-tls, rule san-required ",
                 "algorithm: profile cabf-tls, rule allow-leaf-key-generation "});
  check_refused(server,
                in("Pay", "leaf")
                    .text("signed_by", "modern root")
                    .set("hostname", R"(["pay.example.com"])")
                    .set("department", R"(["P"])")
                    .set("day_till_expiration", "80")
                    .text("digest", "sha1"),
                {"digest: profile payments, rule digests: ", "digest: profile modern, rule digests ",
                 "signed_by: profile payments, rule issuers: "});
  // Once, where both have the same profile.
  check_refused(server, in("Modern", "leaf").text("signed_by", "modern root").text("digest", "sha1"),
                {"digest: profile modern, rule digests "});
  CHECK(server.generate(in("Elsewhere", "leaf").text("signed_by", "modern root")).status == 201);
}

TEST_CASE("a signing request obeys the profile of its container") {
  const Profiles profiles;
  const ServerFixture server(profiles.options);
  check_refused(server,
                in("Modern", "r").text("signed_by", "external").set("algorithm", kRsa1024).text("digest", "sha1"),
                {"algorithm: profile modern, rule min-rsa-bits ", "digest: profile modern, rule digests "});
  const Json made = server.must_generate(in("Modern", "r").text("signed_by", "external"));
  CHECK(made["status"].text() == "pending");
}

TEST_CASE("the profile of docs/POLICY.md holds as it is written") {
  const Profiles profiles;
  const ServerFixture server(profiles.options);
  server.must_generate(authority("Infra", "Payments CA"));
  server.must_generate(authority("Pay2", "Payments CA"));
  const std::string infra = server.get("/certificates?folder=Infra&name=Payments%20CA").json()["id"].text();
  const std::string other = server.get("/certificates?folder=Pay2&name=Payments%20CA").json()["id"].text();
  const Body good = in("Pay", "leaf")
                        .text("common_name", "api.pay.example.com")
                        .set("hostname", R"(["api.pay.example.com","*.Web.PAY.example.com"])")
                        .set("department", R"(["Payments"])")
                        .set("day_till_expiration", "89")
                        .text("signed_by", infra);
  const std::string rule = ": profile payments, rule ";
  check_refused(server, Body(good).set("algorithm", kRsa2048), {"algorithm" + rule + "algorithms: "});
  check_refused(server, Body(good).text("digest", "sha512"), {"digest" + rule + "digests: "});
  check_refused(server, Body(good).set("day_till_expiration", "90"),
                {"day_till_expiration" + rule + "max-leaf-days (House rule 14): "});
  check_refused(server, Body(good).text("common_name", "pay.example.com.evil.test"),
                {"common_name" + rule + "permitted-dns (House rule 12): "});
  check_refused(server, Body(good).set("hostname", R"(["badpay.example.com"])"),
                {"hostname" + rule + "permitted-dns (House rule 12): "});
  check_refused(server, Body(good).set("hostname", R"(["*.test.pay.example.com"])"),
                {"hostname" + rule + "excluded-dns: "});
  check_refused(server, Body(good).set("hostname", R"(["*.pay.example.com"])"), {"hostname" + rule + "excluded-dns: "});
  check_refused(server, Body(good).set("ip", R"(["192.0.3.1","::1"])"),
                {"ip" + rule + "permitted-ip: ", "ip" + rule + "permitted-ip: "});
  check_refused(server, Body(good).text("email", "a@pay.example.com"), {"email" + rule + "permitted-mail: "});
  check_refused(server, Body(good).drop("hostname").drop("department"),
                {"department" + rule + "required-leaf-fields: ", "hostname" + rule + "required-leaf-fields: "});
  check_refused(server, Body(good).text("signed_by", other), {"signed_by" + rule + "issuers: "});
  check_refused(server, Body(good).drop("signed_by"), {"signed_by" + rule + "issuers: "});
  check_refused(server, Body(good).text("signed_by", "external"), {"signed_by" + rule + "issuers: "});
  check_refused(server, Body(good).set("is_block_privateKey", "false"),
                {"is_block_privateKey" + rule + "allow-exportable-keys: "});
  check_refused(server, Body(good).set("is_certificate_authority", "true"),
                {"algorithm" + rule + "allow-ca-key-generation: "});

  const Json made = server.must_generate(Body(good).text("certificate_name", "good"));
  CHECK(not_after(made["public_key"].text()) - not_before(made["public_key"].text()) == 89 * 86400);
  CHECK(server
            .generate(Body(good)
                          .text("certificate_name", "ip")
                          .set("hostname", R"(["pay.example.com"])")
                          .set("ip", R"(["192.0.2.1"])"))
            .status == 201);
}

TEST_CASE("a key that is imported obeys the profile, a certificate without a key is only stored") {
  const Profiles profiles;
  profiles.add("strict", "max-leaf-days = 29\nallow-self-signed-leaf = false\npermitted-dns = []\n");
  ServerOptions options = profiles.options;
  options.settings["policy.containers"] = quote_all({"folder:Modern=modern", "folder:Web=cabf-tls", "folder:S=strict"});
  const ServerFixture server(options);
  const std::string weak = new_key("RSA:1024");
  const std::string strong = new_key("P-256");
  const std::string weak_certificate = self_signed(weak, "weak.example.com");
  const std::string strong_certificate = self_signed(strong, "strong.example.com");
  const auto refused = [&](const Body& body, const std::vector<std::string>& starts) {
    const std::size_t keys = server.keys();
    const std::size_t rows = server.rows();
    const auto sentences = check_invalid_object(import(server, body));
    CHECK(sentences.size() == starts.size());
    for (const std::string& start : starts) {
      CAPTURE(start);
      CHECK(any_starts(sentences, start));
    }
    CHECK(server.keys() == keys);
    CHECK(server.rows() == rows);
  };
  refused(import_body("w", "pem", weak_certificate, weak).text("folder", "Modern"),
          {"certificate_file: profile modern, rule min-rsa-bits "});
  refused(import_body("w", "pkcs12", pkcs12(weak, weak_certificate, "secret1"))
              .text("folder", "Modern")
              .text("passphrase", "secret1"),
          {"certificate_file: profile modern, rule min-rsa-bits "});
  // 30 days, the last second included, are 31 begun.
  refused(import_body("s", "pem", strong_certificate, strong).text("folder", "S"),
          {"certificate_file: profile strict, rule max-leaf-days: ",
           "certificate_file: profile strict, rule allow-self-signed-leaf: ",
           "certificate_file: profile strict, rule permitted-dns: "});
  const std::string root = self_signed(strong, "Root", true);
  refused(import_body("r", "pem", root, strong).text("folder", "Web").set("is_block_privateKey", "false"),
          {"is_block_privateKey: profile cabf-tls, rule allow-exportable-keys (BR 6.2.7): ",
           "key_file: profile cabf-tls, rule allow-key-import (BR 6.1.1.1): "});
  refused(
      import_body("r", "pkcs12", pkcs12(strong, root, "secret1")).text("folder", "Web").text("passphrase", "secret1"),
      {"certificate_file: profile cabf-tls, rule allow-key-import (BR 6.1.1.1): "});

  CHECK(import(server, import_body("w", "pem", weak_certificate).text("folder", "Modern")).status == 201);
  CHECK(import(server, import_body("r", "pem", root).text("folder", "Web")).status == 201);
  CHECK(server.keys() == 0);
  CHECK(import(server, import_body("s", "pem", strong_certificate, strong).text("folder", "Modern")).status == 201);
  CHECK(import(server, import_body("w", "pem", weak_certificate, weak)).status == 201);
}

TEST_CASE("the certificate that answers a signing request obeys the profile, and the request waits on until one does") {
  const Profiles profiles;
  profiles.add("short", "max-leaf-days = 21\ndigests = [\"sha256\"]\npermitted-dns = [\"example.com\"]\n");
  ServerOptions options = profiles.options;
  options.settings["policy.containers"] = quote_all({"folder:Short=short"});
  ServerFixture server(options);
  const std::string key = new_key("P-256");
  const std::string outside = self_signed(key, "Outside Root", true);
  const Json pending =
      server.must_generate(in("Short", "leaf").text("common_name", "www.example.com").text("signed_by", "external"));
  const std::string request = must_export(server, pending, "pkcs10");
  const std::string leaf = "basicConstraints=critical,CA:FALSE\n";
  const auto complete = [&](const std::string& signed_certificate) {
    return import(server, import_body("leaf", "pem", signed_certificate).text("folder", "Short"));
  };
  const auto names = check_invalid_object(
      complete(sign_request(request, outside, key, leaf + "subjectAltName=DNS:www.example.com,DNS:evil.test\n")));
  REQUIRE(names.size() == 1);
  CHECK(names[0].starts_with("certificate_file: profile short, rule permitted-dns: must lie within example.com"));

  // The profile of the day on which the certificate comes decides.
  const std::string good = sign_request(request, outside, key, leaf + "subjectAltName=DNS:www.example.com\n");
  REQUIRE(server.stop(SIGTERM) == 0);
  profiles.add("short", "max-leaf-days = 20\n");
  server.start();
  const auto days = check_invalid_object(complete(good));
  REQUIRE(days.size() == 1);
  CHECK(
      days[0].starts_with("certificate_file: profile short, rule max-leaf-days: the validity must be at most 20 days"));
  CHECK(server.get("/certificates/" + pending["id"].text()).json()["status"].text() == "pending");
  CHECK(server.keys() == 1);

  REQUIRE(server.stop(SIGTERM) == 0);
  profiles.add("short", "max-leaf-days = 21\n");
  server.start();
  const Reply reply = complete(good);
  REQUIRE_MESSAGE(reply.status == 201, reply.body);
  CHECK(reply.json()["status"].text() == "valid");
}

TEST_CASE("a certificate that is older than its signing request is judged by the day of the request") {
  const Profiles profiles;
  profiles.add("steps", "max-leaf-days = [{ from = 2015-01-01, days = 20000 }, { from = 2025-01-01, days = 30 }]\n");
  ServerOptions options = profiles.options;
  options.settings["policy.containers"] = quote_all({"folder:Steps=steps"});
  const ServerFixture server(options);
  const std::string key = new_key("P-256");
  const std::string outside = self_signed(key, "Outside Root", true);
  const Json pending =
      server.must_generate(in("Steps", "leaf").text("common_name", "www.example.com").text("signed_by", "external"));
  const std::string old = sign_backdated(must_export(server, pending, "pkcs10"), outside, key);
  CHECK(not_before(old) < not_before(outside));
  const auto days = check_invalid_object(import(server, import_body("leaf", "pem", old).text("folder", "Steps")));
  REQUIRE(days.size() == 1);
  CHECK(
      days[0].starts_with("certificate_file: profile steps, rule max-leaf-days: the validity must be at most 30 days"));
  CHECK(server.get("/certificates/" + pending["id"].text()).json()["status"].text() == "pending");
}

TEST_CASE("no authority passes for a permitted issuer by being named like one") {
  const Profiles profiles;
  ServerOptions options = profiles.options;
  ServerFixture server(options);
  server.must_generate(authority("Infra", "Root"));
  const std::string id = server.get("/certificates?folder=Infra&name=Root").json()["id"].text();
  server.must_generate(authority("Mine", "folder:Infra/Root"));
  server.must_generate(authority("Mine", id));
  server.must_generate(authority("Mine", "self"));
  REQUIRE(server.stop(SIGTERM) == 0);
  profiles.add("bound", "issuers = [\"folder:Infra/Root\", \"" + id + "\"]\n");
  server.set("policy.containers", quote_all({"folder:House=bound"}));
  server.start();
  for (const std::string& name : {std::string("folder:Infra/Root"), std::string("self")}) {
    check_refused(server, in("House", "leaf").text("signed_by", name), {"signed_by: profile bound, rule issuers: "});
  }
  const std::string like_id = server.get("/certificates?folder=Mine&name=" + id).json()["id"].text();
  check_refused(server, in("House", "leaf").text("signed_by", like_id), {"signed_by: profile bound, rule issuers: "});
  CHECK(server.generate(in("House", "leaf").text("signed_by", id)).status == 201);
}

TEST_CASE("a request that asks for an authority brings no leaf about, nor the other way round") {
  const Profiles profiles;
  profiles.add("leaves", "allow-ca-key-generation = false\n");
  ServerOptions options = profiles.options;
  options.settings["policy.containers"] = quote_all({"folder:Web=cabf-tls", "folder:Leaves=leaves"});
  const ServerFixture server(options);
  const std::string key = new_key("P-256");
  const std::string outside = self_signed(key, "Outside Root", true);
  const Json ca = server.must_generate(authority("Web", "a").text("signed_by", "external"));
  const Json leaf = server.must_generate(in("Leaves", "b").text("signed_by", "external"));
  const auto refused = [&](const std::string& folder, const std::string& name, const Json& pending,
                           const std::string& extensions, const std::string& start) {
    const std::string made = sign_request(must_export(server, pending, "pkcs10"), outside, key, extensions);
    const auto sentences = check_invalid_object(import(server, import_body(name, "pem", made).text("folder", folder)));
    CHECK(any_starts(sentences, start));
    CHECK(server.get("/certificates/" + pending["id"].text()).json()["status"].text() == "pending");
  };
  refused("Web", "a", ca, "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:www.example.com\n",
          "certificate_file: profile cabf-tls, rule allow-leaf-key-generation (BR 6.1.1.3): ");
  refused("Leaves", "b", leaf, "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n",
          "certificate_file: profile leaves, rule allow-ca-key-generation: ");
}

TEST_CASE("a profile that is not there, or has a fault, ends the start and is told by config check") {
  const Profiles profiles;
  profiles.add("bad", "min-rsa-bits = 1\n");
  ServerOptions options = profiles.options;
  options.settings["policy.default"] = quote("moderm");
  options.settings["policy.containers"] = quote_all({"folder:Web=cabf", "folder:Pay=payments"});
  ServerFixture server(options, false);
  const auto ended = server.run_to_end();
  CAPTURE(ended.out);
  CHECK(ended.exit_code == 2);
  const auto checked = server.command({"config", "check"});
  CAPTURE(checked.out);
  CHECK(checked.exit_code == 2);
  for (const std::string& out : {ended.out, checked.out}) {
    CHECK(out.find("policy.default: there is no such profile; there are scm, modern, cabf-tls, fips, payments") !=
          std::string::npos);
    CHECK(out.find("policy.containers: folder:Web is to have a profile that is not there") != std::string::npos);
    CHECK(out.find("policy.directory: bad.toml: rules.min-rsa-bits (line 4): must be from 512 to 16384") !=
          std::string::npos);
    CHECK(out.find(profiles.directory.file("bad.toml")) == std::string::npos);
  }
}

TEST_CASE("the command line lists, shows and checks profiles, without a PIN") {
  const Profiles profiles;
  const auto run = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {program(), "policy"});
    return test_support::run_command(arguments);
  };
  const auto built_in = run({"list"});
  CHECK(built_in.exit_code == 0);
  for (const char* name : {"scm (built in): ", "modern (built in): ", "cabf-tls (built in): ", "fips (built in): "}) {
    CHECK(built_in.out.find(name) != std::string::npos);
  }
  CHECK(run({"show", "cabf-tls"}).out ==
        test_support::read_file(SOURCE_DIRECTORY "/src/policy/profiles/cabf-tls.toml"));
  const auto absent = run({"show", "payments"});
  CHECK(absent.exit_code == 2);
  CHECK(absent.out.find("there is no such profile; there are scm, modern, cabf-tls, fips") != std::string::npos);
  CHECK(run({"check", kExample}).out == kExample + ": ok, profile payments\n");
  const auto faulty = run({"check", profiles.directory.write("x.toml", "name = \"x\"\n[rules]\nmin-rsa-bits = 1\n")});
  CHECK(faulty.exit_code == 2);
  CHECK(faulty.out.find("hsm-signer: description: is missing\n") != std::string::npos);
  CHECK(faulty.out.find("hsm-signer: rules.min-rsa-bits (line 3): must be") != std::string::npos);
  const auto taken =
      run({"check", profiles.directory.write("y.toml", "name = \"scm\"\ndescription = \"d\"\n[rules]\n")});
  CHECK(taken.exit_code == 2);
  CHECK(taken.out.find("is built in") != std::string::npos);
  std::filesystem::remove(profiles.directory.file("x.toml"));
  std::filesystem::remove(profiles.directory.file("y.toml"));

  // With the server's own settings.
  const ServerFixture server(profiles.options);
  const auto own = server.command({"policy", "list"});
  CAPTURE(own.out);
  CHECK(own.out.find("payments: Certificates of the payment services\n  folder:Pay\n") != std::string::npos);
  CHECK(own.out.find("allows, and the token can do, is made\n  every container that has no other\n  device:Web\n") !=
        std::string::npos);
  CHECK(server.command({"policy", "show", "payments"}).out == test_support::read_file(kExample));
  const auto shown = server.command({"config", "show"});
  CHECK(shown.out.find("containers = [\"folder:Modern=modern\", \"folder:Web=cabf-tls\"") != std::string::npos);
}
