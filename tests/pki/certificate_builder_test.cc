// Signatures: every key and digest judged by OpenSSL's and GnuTLS's commands, and signers that lie.
#include "pki/certificate_builder.h"

#include <doctest/doctest.h>
#include <openssl/err.h>

#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "issuing.h"
#include "support/command.h"
#include "support/temporary_directory.h"

using namespace hsmsigner;
using namespace test_support;
using pki::build_certificate;
using pki::Certificate;
using pki::CertificateSpec;

namespace {

ErrorKind kind_thrown(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    CAPTURE(error.what());
    CHECK(ERR_peek_error() == 0);
    return error.kind();
  }
  FAIL("nothing was thrown");
  return ErrorKind::internal_error;
}

void openssl_accepts(const TemporaryDirectory& directory, const std::string& authority,
                     const std::vector<std::string>& files) {
  std::vector<std::string> command = {"openssl",    "verify",      "-x509_strict", "-auth_level", "0",
                                      "-no-CApath", "-no-CAstore", "-CAfile",      authority};
  command.insert(command.end(), files.begin(), files.end());
  const CommandResult result = run_command(command);
  CAPTURE(directory.path());
  CHECK_MESSAGE(result.exit_code == 0, result.out);
}

void certtool_accepts(const std::string& authority, const std::string& file) {
  const CommandResult result = run_command({"certtool", "--verify", "--verify-allow-broken", "--verify-profile", "none",
                                            "--load-ca-certificate", authority, "--infile", file});
  CHECK_MESSAGE(result.exit_code == 0, result.out);
  CHECK_MESSAGE(result.out.find("Verified. The certificate is trusted.") != std::string::npos, result.out);
}

void walk_issuer(const KeyAlgorithmInfo& issuer_algorithm) {
  const TemporaryDirectory directory;
  SoftwareSigner& issuer_signer = shared_signer(issuer_algorithm.algorithm);
  const Certificate authority = self_signed(authority_spec(), issuer_signer);
  const std::string authority_file = directory.write("ca.pem", authority.pem());
  std::vector<std::string> files;
  for (const KeyAlgorithmInfo& subject_algorithm : key_algorithms()) {
    const PublicKey& subject = shared_signer(subject_algorithm.algorithm, 1).public_key();
    for (const DigestAlgorithmInfo& digest : digests()) {
      CAPTURE(issuer_algorithm.name);
      CAPTURE(subject_algorithm.name);
      CAPTURE(digest.name);
      CertificateSpec spec = plain_spec();
      spec.digest = digest.digest;
      if (why_cannot_sign(issuer_algorithm.family, issuer_algorithm.bits, digest.digest)) {
        CHECK(kind_thrown([&] { issue(spec, subject, authority, issuer_signer); }) == ErrorKind::invalid_object);
        continue;
      }
      const Certificate certificate = issue(spec, subject, authority, issuer_signer);
      CHECK(certificate.public_key() == subject);
      CHECK(certificate.verifies_with(issuer_signer.public_key()));
      CHECK(ERR_peek_error() == 0);
      const std::string name = std::string(subject_algorithm.name) + "-" + std::string(digest.name) + ".pem";
      files.push_back(directory.write(name, certificate.pem()));
      certtool_accepts(authority_file, files.back());
    }
  }
  openssl_accepts(directory, authority_file, files);
}

}  // namespace

// One case per issuer, so that they run beside each other.
#define WALK(algorithm)                                                     \
  TEST_CASE("an issuer " #algorithm " signs every key with every digest") { \
    walk_issuer(info(KeyAlgorithm::algorithm));                             \
  }
WALK(rsa_512)
WALK(rsa_1024)
WALK(rsa_2048)
WALK(rsa_3072)
WALK(rsa_4096)
WALK(ec_p256)
WALK(ec_p384)
WALK(ec_p521)
#undef WALK

TEST_CASE("a self-signed certificate of every key verifies under itself") {
  const TemporaryDirectory directory;
  for (const KeyAlgorithmInfo& algorithm : key_algorithms()) {
    CAPTURE(algorithm.name);
    const Certificate certificate = self_signed(authority_spec(), shared_signer(algorithm.algorithm));
    CHECK(certificate.is_self_issued());
    CHECK(certificate.verifies_with(certificate.public_key()));
    const std::string file = directory.write("self.pem", certificate.pem());
    must_run({"openssl", "verify", "-x509_strict", "-check_ss_sig", "-auth_level", "0", "-CAfile", file, file});
    certtool_accepts(file, file);
  }
}

TEST_CASE("a chain of three with path lengths is accepted") {
  const TemporaryDirectory directory;
  SoftwareSigner& root_signer = shared_signer(KeyAlgorithm::rsa_2048);
  SoftwareSigner& middle_signer = shared_signer(KeyAlgorithm::ec_p384);
  CertificateSpec root_spec = authority_spec("Root");
  root_spec.path_length = 1;
  CertificateSpec middle_spec = authority_spec("Middle");
  middle_spec.path_length = 0;
  const Certificate root = self_signed(root_spec, root_signer);
  const Certificate middle = issue(middle_spec, middle_signer.public_key(), root, root_signer);
  const Certificate leaf =
      issue(plain_spec(), shared_signer(KeyAlgorithm::ec_p256).public_key(), middle, middle_signer);
  CHECK(middle.path_length() == 0U);
  CHECK_FALSE(leaf.verifies_with(root_signer.public_key()));
  must_run({"openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile",
            directory.write("root.pem", root.pem()), "-untrusted", directory.write("middle.pem", middle.pem()),
            directory.write("leaf.pem", leaf.pem())});
}

TEST_CASE("the signature algorithm stands in both places, with the parameters its standard asks for") {
  const auto parse = [](KeyAlgorithm algorithm, Digest digest) {
    CertificateSpec spec = plain_spec();
    spec.digest = digest;
    return must_run({"openssl", "asn1parse"}, self_signed(spec, shared_signer(algorithm)).pem());
  };
  const auto count = [](const std::string& text, const std::string& word) {
    int found = 0;
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) ++found;
    return found;
  };
  const std::string rsa = parse(KeyAlgorithm::rsa_1024, Digest::md5);
  CHECK(count(rsa, ":md5WithRSAEncryption\n") == 2);
  CHECK(count(rsa, "NULL") == 3);  // both, and the key's own
  const std::string ec = parse(KeyAlgorithm::ec_p256, Digest::sha384);
  CHECK(count(ec, ":ecdsa-with-SHA384\n") == 2);
  CHECK(count(ec, "NULL") == 0);
}

TEST_CASE("what a lying signer signs does not leave") {
  struct Lie {
    const char* name;
    LyingSigner::Answer answer;
  };
  const std::vector<Lie> lies = {
      {"nothing", [](Bytes) { return Bytes{}; }},
      {"zeros", [](Bytes good) { return Bytes(good.size(), 0); }},
      {"one bit off",
       [](Bytes good) {
         good.back() ^= 1;
         return good;
       }},
      {"one octet short",
       [](Bytes good) {
         good.pop_back();
         return good;
       }},
      {"one octet long",
       [](Bytes good) {
         good.push_back(0);
         return good;
       }},
      {"very long", [](Bytes) { return Bytes(100000, 0x30); }},
  };
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::rsa_2048, KeyAlgorithm::ec_p256}) {
    for (const Lie& lie : lies) {
      CAPTURE(info(algorithm).name);
      CAPTURE(lie.name);
      LyingSigner signer(shared_signer(algorithm), lie.answer);
      CHECK(kind_thrown([&] { self_signed(plain_spec(), signer); }) == ErrorKind::internal_error);
    }
  }
}

TEST_CASE("a signature over something else, or by another key, does not leave") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  SoftwareSigner& other = shared_signer(KeyAlgorithm::ec_p256, 1);
  const Deadline deadline = deadline_in(std::chrono::seconds(10));
  LyingSigner other_data(signer, [&](Bytes) { return signer.sign(Digest::sha256, Bytes(32, 7), deadline); });
  CHECK(kind_thrown([&] { self_signed(plain_spec(), other_data); }) == ErrorKind::internal_error);
  LyingSigner other_key(signer, [&](Bytes) { return other.sign(Digest::sha256, Bytes(32, 7), deadline); });
  CHECK(kind_thrown([&] { self_signed(plain_spec(), other_key); }) == ErrorKind::internal_error);
}

TEST_CASE("a signer that is not the issuer's key is refused before it signs") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  SoftwareSigner& other = shared_signer(KeyAlgorithm::ec_p256, 1);
  bool asked = false;
  LyingSigner watched(other, [&](Bytes good) {
    asked = true;
    return good;
  });
  const Certificate authority = self_signed(authority_spec(), signer);
  CHECK(kind_thrown([&] { issue(plain_spec(), signer.public_key(), authority, watched); }) ==
        ErrorKind::internal_error);
  CHECK(kind_thrown([&] {
          build_certificate(plain_spec(), signer.public_key(), nullptr, watched, deadline_in(std::chrono::seconds(1)));
        }) == ErrorKind::internal_error);
  CHECK_FALSE(asked);
}

TEST_CASE("a point that is not on its curve is never certified") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  const Certificate authority = self_signed(authority_spec(), signer);
  auto key = std::get<EcPublicKey>(signer.public_key());
  key.point.back() ^= 1;
  CHECK(kind_thrown([&] { issue(plain_spec(), key, authority, signer); }) == ErrorKind::internal_error);
  key.point.clear();
  CHECK(kind_thrown([&] { issue(plain_spec(), key, authority, signer); }) == ErrorKind::internal_error);
}

TEST_CASE("what the signer throws passes through") {
  LyingSigner signer(shared_signer(KeyAlgorithm::ec_p256),
                     [](Bytes) -> Bytes { throw Error(ErrorKind::session_timeout); });
  CHECK(kind_thrown([&] { self_signed(plain_spec(), signer); }) == ErrorKind::session_timeout);
}

TEST_CASE("threads build beside each other under one issuer") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  const Certificate authority = self_signed(authority_spec(), signer);
  const CertificateSpec spec = plain_spec();
  std::vector<int> good(4, 0);
  std::vector<std::thread> threads;
  for (int& count : good) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        const Certificate certificate = issue(spec, signer.public_key(), authority, signer);
        if (certificate.issuer() == authority.subject() && authority.is_certificate_authority() &&
            certificate.verifies_with(authority.public_key()) && ERR_peek_error() == 0) {
          ++count;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : good) CHECK(count == 100);
}

TEST_CASE("building a P-256 certificate takes well under a millisecond beside the signature") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  const Certificate authority = self_signed(authority_spec(), signer);
  CertificateSpec spec = plain_spec();
  spec.alternative_names = {{pki::AlternativeName::Kind::dns, "www.example.com"}};
  const Deadline deadline = deadline_in(std::chrono::seconds(10));
  constexpr int kRounds = 500;
  const auto microseconds_each = [&](const auto& action) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kRounds; ++i) action();
    const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - start;
    return taken.count() / kRounds;
  };
  const double whole = microseconds_each([&] { issue(spec, signer.public_key(), authority, signer); });
  const double signing = microseconds_each([&] { signer.sign(Digest::sha256, Bytes(32, 1), deadline); });
  MESSAGE("build_certificate: " << whole - signing << " us beside the signature's " << signing << " us");
  CHECK(whole - signing < 5000);  // wide: sanitizers and a busy machine
}
