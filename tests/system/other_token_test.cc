// The whole program on a token that is not SoftHSM: openCryptoki's, initialised by `hsm-signer token init`. It has RSA
// and no EC.
#include <doctest/doctest.h>

#include <csignal>

#include "support/opencryptoki.h"
#include "system/server.h"
#include "system/x509.h"

using namespace system_test;
using test_support::OpenCryptoki;

TEST_CASE("openCryptoki: RSA certificates, and a clear 400 for EC") {
  if (const auto reason = OpenCryptoki::why_not()) {
    MESSAGE("test skipped: " << *reason);
    return;
  }
  const OpenCryptoki token;
  ServerOptions options;
  options.settings["token.module"] = quote(OpenCryptoki::module_path());
  options.settings["token.label"] = quote(token.label());
  ServerFixture server(options, false);
  const std::string so_pin = server.state().write("so-pin", token.so_pin() + "\n");
  const std::string pin = server.state().write("pin", token.pin() + "\n");
  // openCryptoki leaks, and unloads what leaked before a sanitised program could tell whose it is. All other tests let
  // the program be searched for leaks.
  const std::map<std::string, std::string> no_leak_check = {{"LSAN_OPTIONS", "detect_leaks=0"}};
  server.set_environment("LSAN_OPTIONS", "detect_leaks=0");
  test_support::must_run({program(), "token", "init", "--module", OpenCryptoki::module_path(), "--label", token.label(),
                          "--so-pin-file", so_pin, "--pin-file", pin},
                         "", no_leak_check);
  server.start();

  const char* const rsa = R"({"rsa_number_of_bits":2048})";
  const Json root =
      server.must_generate(certificate("root").set("algorithm", rsa).set("is_certificate_authority", "true"));
  CHECK(root["key"]["token_label"].text() == token.label());
  CHECK(root["key"]["never_extractable"].boolean());
  for (const char* digest : {"sha256", "sha384", "sha512", "sha1", "md5"}) {
    CAPTURE(digest);
    const Json leaf = server.must_generate(
        certificate(digest).set("algorithm", rsa).text("signed_by", "root").text("digest", digest));
    CHECK(verify(leaf["public_key"].text(), "", root["public_key"].text()) == "");
  }
  for (const char* bits : {"256", "384", "521"}) {
    CAPTURE(bits);
    const std::string algorithm = "{\"ecdsa_number_of_bits\":" + std::string(bits) + "}";
    const auto sentences = check_invalid_object(server.generate(certificate("ec").set("algorithm", algorithm)));
    REQUIRE(sentences.size() == 1);
    CHECK_MESSAGE(sentences[0] == "algorithm: this token cannot generate P-" + std::string(bits) + " keys",
                  sentences[0]);
  }
  CHECK(server.rows() == 6);
  CHECK(server.stop(SIGTERM) == 0);

  server.start();
  const Json after = server.must_generate(certificate("after").set("algorithm", rsa).text("signed_by", "root"));
  CHECK(verify(after["public_key"].text(), "", root["public_key"].text()) == "");
  const std::string shown =
      test_support::must_run({program(), "token", "show", "--config", server.config_file()}, "", no_leak_check);
  CHECK_MESSAGE(shown.find("private keys  9\n") != std::string::npos, shown);
}
