// Certification requests, judged by openssl and certtool.
#include "pki/signing_request.h"

#include "file_fixtures.h"
#include "issuing.h"
#include "support/command.h"

using namespace hsmsigner;
using namespace test_support;
using pki::AlternativeName;
using pki::build_signing_request;
using pki::read_signing_request;
using pki::SigningRequestSpec;

namespace {

Deadline soon() { return deadline_in(std::chrono::seconds(10)); }

SigningRequestSpec rich_spec() {
  return {{"US", "California", "Santa Clara", {"Eng", "Signing"}, "www.example.com", "a@example.com"},
          {{AlternativeName::Kind::dns, "www.example.com"},
           {AlternativeName::Kind::ip, "192.0.2.1"},
           {AlternativeName::Kind::ip, "2001:db8::1"},
           {AlternativeName::Kind::email, "a@example.com"}},
          false,
          Digest::sha256};
}

std::string openssl_text(const std::string& pem) {
  return must_run({"openssl", "req", "-verify", "-noout", "-text"}, pem);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("requests of every key and digest verify in openssl and in certtool") {
  for (const KeyAlgorithmInfo& algorithm : key_algorithms()) {
    for (const DigestAlgorithmInfo& digest : digests()) {
      CAPTURE(algorithm.name);
      CAPTURE(digest.name);
      SigningRequestSpec spec = rich_spec();
      spec.digest = digest.digest;
      SoftwareSigner& signer = shared_signer(algorithm.algorithm);
      if (why_cannot_sign(algorithm.family, algorithm.bits, digest.digest)) {
        CHECK(refusal([&] { build_signing_request(spec, signer, soon()); }).starts_with("digest: "));
        continue;
      }
      const std::string pem = build_signing_request(spec, signer, soon());
      CHECK(contains(openssl_text(pem), "verify OK"));
      // GnuTLS verifies no MD5.
      CHECK(contains(must_run({"certtool", "--crq-info"}, pem), "Self signature: verified") ==
            (digest.digest != Digest::md5));
      CHECK(read_signing_request(pem).public_key == signer.public_key());
    }
  }
}

TEST_CASE("a request says its subject and asks for the extensions of a leaf") {
  const std::string pem = build_signing_request(rich_spec(), shared_signer(KeyAlgorithm::rsa_2048), soon());
  const std::string text = openssl_text(pem);
  for (const char* part :
       {"Version: 1 (0x0)", "Requested Extensions:", "X509v3 Basic Constraints: critical", "CA:FALSE",
        "X509v3 Key Usage: critical", "Digital Signature, Key Encipherment", "TLS Web Server Authentication",
        "DNS:www.example.com, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, email:a@example.com"}) {
    CAPTURE(part);
    CHECK(contains(text, part));
  }
  CHECK_FALSE(contains(text, "Key Identifier"));
  const pki::SigningRequestInfo info = read_signing_request(pem);
  CHECK(info.subject ==
        "/C=US/ST=California/L=Santa Clara/OU=Eng/OU=Signing/CN=www.example.com/emailAddress=a@example.com");
  CHECK(info.alternative_names == rich_spec().alternative_names);
  CHECK(test_support::text(ByteView(info.der)) == openssl_convert({"req", "-outform", "DER"}, pem));
  // The same subject in a certificate has the same hash.
  const std::string certificate = openssl_certificate(openssl_key(KeyAlgorithm::ec_p256), "plain");
  SigningRequestSpec plain{};
  plain.subject.common_name = "plain";
  plain.digest = Digest::sha256;
  const std::string hash = must_run({"openssl", "x509", "-noout", "-subject_hash_old"}, certificate);
  const std::string plain_pem = build_signing_request(plain, shared_signer(KeyAlgorithm::ec_p256), soon());
  CHECK(read_signing_request(plain_pem).subject_hash_old + "\n" == hash);
}

TEST_CASE("an authority's request asks for what an authority needs") {
  SigningRequestSpec spec{};
  spec.subject.common_name = "Sub CA";
  spec.certificate_authority = true;
  spec.digest = Digest::sha384;
  const std::string text = openssl_text(build_signing_request(spec, shared_signer(KeyAlgorithm::ec_p384), soon()));
  CHECK(contains(text, "CA:TRUE"));
  CHECK(contains(text, "Digital Signature, Certificate Sign, CRL Sign"));
  CHECK_FALSE(contains(text, "Extended Key Usage"));
  CHECK_FALSE(contains(text, "Alternative Name"));
  CHECK(contains(text, "ecdsa-with-SHA384"));
}

TEST_CASE("a request whose signer lies does not leave") {
  SoftwareSigner& honest = shared_signer(KeyAlgorithm::ec_p256);
  LyingSigner liar(honest, [](Bytes signature) {
    signature.back() ^= 1;
    return signature;
  });
  CHECK_THROWS_AS(build_signing_request(rich_spec(), liar, soon()), Error);
  LyingSigner silent(honest, [](const Bytes&) { return Bytes(); });
  CHECK_THROWS_AS(build_signing_request(rich_spec(), silent, soon()), Error);
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a request that cannot be encoded is refused by the name of its field") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  SigningRequestSpec spec = rich_spec();
  spec.subject.country = "USA";
  CHECK(refusal([&] { build_signing_request(spec, signer, soon()); }).starts_with("country_code: "));
  spec = rich_spec();
  spec.alternative_names = {{AlternativeName::Kind::ip, "1.2.3"}};
  CHECK(refusal([&] { build_signing_request(spec, signer, soon()); }).starts_with("ip: "));
}

TEST_CASE("a foreign request is read, and one that is damaged or signed by another key is not") {
  const TemporaryDirectory directory;
  must_run({"openssl", "req", "-new", "-newhdr", "-key",
            directory.write("key.pem", openssl_key(KeyAlgorithm::rsa_2048)), "-subj", "/CN=x", "-config",
            directory.write("config", "[req]\ndistinguished_name=dn\n[dn]\n"), "-out", directory.file("request.pem")});
  const std::string pem = read_file(directory.file("request.pem"));
  REQUIRE(pem.starts_with("-----BEGIN NEW CERTIFICATE REQUEST"));
  const pki::SigningRequestInfo info = read_signing_request(pem);
  CHECK(info.subject == "/CN=x");
  CHECK(info.alternative_names.empty());

  const std::string not_one = "this is not one certification request in PEM";
  const auto refusal_of = [](const std::string& text) { return refusal([&] { read_signing_request(text); }); };
  CHECK(refusal_of("") == not_one);
  CHECK(refusal_of(pem + pem) == not_one);
  CHECK(refusal_of(openssl_certificate(openssl_key(KeyAlgorithm::ec_p256), "x")) == not_one);
  for (std::size_t size = 0; size + 2 < pem.size(); size += 50) CHECK(refusal_of(pem.substr(0, size)) == not_one);

  Bytes der = info.der;
  der.back() ^= 1;
  const std::string forged = openssl_convert({"req", "-inform", "DER", "-outform", "PEM"}, text(ByteView(der)));
  CHECK(refusal_of(forged) == "the request's signature does not verify");
}
