// The whole product of the contract: subject algorithm x issuer algorithm (and self-signed) x digest. Each is issued or
// refused as the table here says, which is written from the standards and not from our code; each certificate is judged
// by OpenSSL and GnuTLS, and the strong ones by NSS and the JDK too, where they are installed.
//
// One test case per subject algorithm, so that they run beside each other. SoftHSM needs seconds for RSA-3072 and
// RSA-4096, so these are cut further, by digest; nothing of the product is left out (about 3 minutes of one core).
#include <doctest/doctest.h>

#include <set>

#include "system/server.h"
#include "system/x509.h"

using namespace system_test;
using test_support::program_exists;
using test_support::run_command;

namespace {

struct Algorithm {
  const char* name;
  const char* json;
  bool strong;                    // by today's rules: at least 112 bits
  std::set<std::string> digests;  // what a key of it can sign
};

// RSASSA-PKCS1-v1_5 needs a block of DigestInfo + 11 octets (RFC 8017 9.2): 64 octets hold those of MD5 (34), SHA-1
// (35) and SHA-256 (51), not those of SHA-384 (67) and SHA-512 (83). ecdsa-with-… has no MD5 (RFC 3279, RFC 5758).
const Algorithm kAlgorithms[] = {
    {"RSA-512", R"({"rsa_number_of_bits":512})", false, {"md5", "sha1", "sha256"}},
    {"RSA-1024", R"({"rsa_number_of_bits":1024})", false, {"md5", "sha1", "sha256", "sha384", "sha512"}},
    {"RSA-2048", R"({"rsa_number_of_bits":2048})", true, {"md5", "sha1", "sha256", "sha384", "sha512"}},
    {"RSA-3072", R"({"rsa_number_of_bits":3072})", true, {"md5", "sha1", "sha256", "sha384", "sha512"}},
    {"RSA-4096", R"({"rsa_number_of_bits":4096})", true, {"md5", "sha1", "sha256", "sha384", "sha512"}},
    {"P-256", R"({"ecdsa_number_of_bits":256})", true, {"sha1", "sha256", "sha384", "sha512"}},
    {"P-384", R"({"ecdsa_number_of_bits":384})", true, {"sha1", "sha256", "sha384", "sha512"}},
    {"P-521", R"({"ecdsa_number_of_bits":521})", true, {"sha1", "sha256", "sha384", "sha512"}},
};

const std::vector<std::string> kDigests = {"md5", "sha1", "sha256", "sha384", "sha512"};

const Algorithm& algorithm(const std::string& name) {
  for (const Algorithm& row : kAlgorithms) {
    if (row.name == name) return row;
  }
  throw std::runtime_error("no algorithm " + name);
}

std::string signature_name(const Algorithm& issuer, const std::string& digest) {
  if (std::string(issuer.name).starts_with("RSA")) return digest + "WithRSAEncryption";
  return digest == "sha1" ? "ecdsa-with-SHA1" : "ecdsa-with-SHA" + digest.substr(3);
}

// Those who judge. Each certificate comes with its issuer's (itself, when self-signed).
class Judges {
 public:
  void judge(const std::string& what, const std::string& pem, const std::string& issuer, bool strong) {
    CAPTURE(what);
    CHECK(verify(pem, "", issuer) == "");
    const std::string stem = std::to_string(++count_);
    const std::string subject_file = directory_.write(stem + ".subject.pem.all", pem);
    const std::string issuer_file = directory_.write(stem + ".issuer.pem", issuer);
    if (has_certtool_) {
      std::vector<std::string> command = {"certtool", "--verify",   "--load-ca-certificate", issuer_file,
                                          "--infile", subject_file, "--verify-profile"};
      if (strong) {
        command.push_back("medium");
      } else {
        command.insert(command.end(), {"none", "--verify-allow-broken"});
      }
      const auto result = run_command(command);
      CHECK_MESSAGE(result.exit_code == 0, "certtool: " << result.out);
    }
    // NSS and the JDK have no use for weak ones, nor for a self-signed certificate as its own anchor.
    if (!strong || pem == issuer) return;
    if (has_vfychain_) {
      const auto result = run_command({"vfychain", "-pp", "-u", "1", "-a", subject_file, "-t", "-a", issuer_file});
      CHECK_MESSAGE(result.exit_code == 0, "NSS: " << result.out);
    }
    directory_.write(stem + ".subject.pem", pem);
    ++strong_;
  }

  // The JDK judges all at once: it is slow to start.
  void conclude() {
    if (!program_exists("java") || strong_ == 0) return;
    const auto result = run_command({"java", "-Xshare:auto", VALIDATE_PATHS_JAVA, directory_.path().string()}, "", {},
                                    std::chrono::seconds(120));
    if (result.out.find("jdk.compiler") != std::string::npos) return;  // a runtime without the compiler module
    CHECK_MESSAGE(result.exit_code == 0, "java: " << result.out);
    CHECK_MESSAGE(result.out.find("good " + std::to_string(strong_)) != std::string::npos, result.out);
  }

 private:
  const test_support::TemporaryDirectory directory_;
  const bool has_certtool_ = program_exists("certtool");
  const bool has_vfychain_ = program_exists("vfychain");
  int count_ = 0;
  int strong_ = 0;
};

void walk(const std::string& subject_name, const std::vector<std::string>& digests) {
  const Algorithm& subject = algorithm(subject_name);
  const ServerFixture server;
  Judges judges;

  std::map<std::string, std::string> issuers;
  for (const Algorithm& issuer : kAlgorithms) {
    issuers[issuer.name] = server
                               .must_generate(certificate(issuer.name)
                                                  .set("algorithm", issuer.json)
                                                  .set("is_certificate_authority", "true")
                                                  .set("day_till_expiration", "3650"))["public_key"]
                               .text();
  }
  const std::size_t authorities = server.keys();
  CHECK(authorities == std::size(kAlgorithms));

  std::size_t issued = 0;
  for (const std::string& digest : digests) {
    std::vector<std::string> signers = {""};
    for (const Algorithm& issuer : kAlgorithms) signers.emplace_back(issuer.name);
    for (const std::string& signer : signers) {
      const Algorithm& signing = signer.empty() ? subject : algorithm(signer);
      const std::string what = subject_name + " by " + (signer.empty() ? "itself" : signer) + " with " + digest;
      CAPTURE(what);
      const Reply reply = server.generate(certificate(what)
                                              .set("algorithm", subject.json)
                                              .text("common_name", "a.example.com")
                                              .text("signed_by", signer)
                                              // GnuTLS takes no anchor that is not an authority.
                                              .set("is_certificate_authority", signer.empty() ? "true" : "false")
                                              .text("digest", digest));
      if (!signing.digests.contains(digest)) {
        CHECK(check_invalid_object(reply).size() == 1);
        continue;
      }
      REQUIRE_MESSAGE(reply.status == 201, reply.body);
      ++issued;
      const Json made = reply.json();
      const std::string pem = made["public_key"].text();
      const bool strong = subject.strong && signing.strong && digest != "md5" && digest != "sha1";
      CHECK(made["warnings"].items().empty() == (subject.strong && digest != "md5" && digest != "sha1"));
      CHECK(x509(pem, {"-text"}).find("Signature Algorithm: " + signature_name(signing, digest)) != std::string::npos);
      judges.judge(what, pem, signer.empty() ? pem : issuers[signer], strong);
    }
  }
  judges.conclude();
  CHECK(server.keys() == authorities + issued);
  CHECK(server.rows() == authorities + issued);
}

}  // namespace

TEST_CASE("RSA-512 subjects") { walk("RSA-512", kDigests); }
TEST_CASE("RSA-1024 subjects") { walk("RSA-1024", kDigests); }
TEST_CASE("RSA-2048 subjects") { walk("RSA-2048", kDigests); }
TEST_CASE("RSA-3072 subjects, md5") { walk("RSA-3072", {"md5"}); }
TEST_CASE("RSA-3072 subjects, sha1") { walk("RSA-3072", {"sha1"}); }
TEST_CASE("RSA-3072 subjects, sha256") { walk("RSA-3072", {"sha256"}); }
TEST_CASE("RSA-3072 subjects, sha384") { walk("RSA-3072", {"sha384"}); }
TEST_CASE("RSA-3072 subjects, sha512") { walk("RSA-3072", {"sha512"}); }
TEST_CASE("RSA-4096 subjects, md5") { walk("RSA-4096", {"md5"}); }
TEST_CASE("RSA-4096 subjects, sha1") { walk("RSA-4096", {"sha1"}); }
TEST_CASE("RSA-4096 subjects, sha256") { walk("RSA-4096", {"sha256"}); }
TEST_CASE("RSA-4096 subjects, sha384") { walk("RSA-4096", {"sha384"}); }
TEST_CASE("RSA-4096 subjects, sha512") { walk("RSA-4096", {"sha512"}); }
TEST_CASE("P-256 subjects") { walk("P-256", kDigests); }
TEST_CASE("P-384 subjects") { walk("P-384", kDigests); }
TEST_CASE("P-521 subjects") { walk("P-521", kDigests); }
