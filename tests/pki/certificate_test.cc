// Reading certificates, ours and others', beside what `openssl x509` says of them.
#include "pki/certificate.h"

#include <doctest/doctest.h>
#include <openssl/err.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "issuing.h"
#include "support/command.h"
#include "support/temporary_directory.h"

using namespace hsmsigner;
using namespace test_support;
using pki::Certificate;
using pki::CertificateSpec;

namespace {

std::string openssl_x509(const std::string& pem, std::vector<std::string> options) {
  options.insert(options.begin(), {"openssl", "x509", "-noout"});
  return must_run(options, pem);
}

CertificateSpec rich_spec() {
  CertificateSpec spec = plain_spec();
  spec.subject = {"US", "California", "Santa Clara", {"Eng", "Signing"}, "J\xc3\xbcrgen \xe2\x82\xac", "a@example.com"};
  return spec;
}

// A certificate that another program made.
std::string foreign_pem(std::vector<std::string> options) {
  options.insert(options.begin(), {"openssl", "req", "-x509", "-nodes", "-keyout", "/dev/null", "-days", "30"});
  const std::string out = must_run(options);
  return out.substr(out.find("-----BEGIN CERTIFICATE"));
}

bool refused(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind() == ErrorKind::invalid_object && ERR_peek_error() == 0;
  }
  return false;
}

}  // namespace

TEST_CASE("names, hashes, serial number and fingerprint are as openssl prints them") {
  const Certificate authority = self_signed(rich_spec(), shared_signer(KeyAlgorithm::ec_p256));
  const Certificate leaf = issue(plain_spec(), shared_signer(KeyAlgorithm::ec_p384).public_key(), authority,
                                 shared_signer(KeyAlgorithm::ec_p256));
  for (const Certificate& certificate : {authority, leaf}) {
    const std::string pem = certificate.pem();
    CHECK(openssl_x509(pem, {"-subject_hash_old"}) == certificate.subject_hash_old() + "\n");
    CHECK(openssl_x509(pem, {"-issuer_hash_old"}) == certificate.issuer_hash_old() + "\n");
    CHECK(openssl_x509(pem, {"-serial"}) == "serial=" + certificate.serial_number() + "\n");
    CHECK(openssl_x509(pem, {"-fingerprint", "-sha256"}) ==
          "sha256 Fingerprint=" + certificate.fingerprint_sha256() + "\n");
    CHECK(openssl_x509(pem, {"-subject", "-nameopt", "compat"}) == "subject=" + certificate.subject() + "\n");
    CHECK(openssl_x509(pem, {"-issuer", "-nameopt", "compat"}) == "issuer=" + certificate.issuer() + "\n");
    CHECK(must_run({"openssl", "x509"}, pem) == pem);
  }
  CHECK(authority.subject() ==
        "/C=US/ST=California/L=Santa Clara/OU=Eng/OU=Signing/CN=J\\xC3\\xBCrgen \\xE2\\x82\\xAC/"
        "emailAddress=a@example.com");
  CHECK(leaf.issuer() == authority.subject());
  CHECK(leaf.issuer_hash_old() == authority.subject_hash_old());
}

TEST_CASE("serial numbers keep their octets") {
  for (const char* hex : {"01", "7F", "0080", "00FF00", "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"}) {
    CAPTURE(hex);
    CertificateSpec spec = plain_spec();
    spec.serial = *from_hex(hex);
    const Certificate certificate = self_signed(spec, shared_signer(KeyAlgorithm::ec_p256));
    const std::string text(hex);
    CHECK(certificate.serial_number() == (text.starts_with("00") ? text.substr(2) : text));
    CHECK(openssl_x509(certificate.pem(), {"-serial"}) == "serial=" + certificate.serial_number() + "\n");
  }
}

TEST_CASE("DER and PEM give the same certificate back") {
  const Certificate certificate = self_signed(rich_spec(), shared_signer(KeyAlgorithm::rsa_1024));
  CHECK(Certificate::from_der(certificate.der()).der() == certificate.der());
  CHECK(Certificate::from_pem(certificate.pem()).der() == certificate.der());
  CHECK(Certificate::from_pem("text before\n" + certificate.pem()).pem() == certificate.pem());
  CHECK(Certificate::from_der(certificate.der()).public_key() == shared_signer(KeyAlgorithm::rsa_1024).public_key());
}

TEST_CASE("what is no certificate is refused and leaves no trace in OpenSSL's queue") {
  const Certificate certificate = self_signed(plain_spec(), shared_signer(KeyAlgorithm::ec_p256));
  Bytes cut = certificate.der();
  cut.pop_back();
  Bytes long_one = certificate.der();
  long_one.push_back(0);
  CHECK(refused([&] { Certificate::from_der(cut); }));
  CHECK(refused([&] { Certificate::from_der(long_one); }));
  CHECK(refused([&] { Certificate::from_der({}); }));
  for (const char* text :
       {"", "x", "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        // Would make OpenSSL ask for a pass phrase at the terminal.
        "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,000102030405060708090A0B0C0D0E0F\n"
        "\nAAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE-----\n"}) {
    CAPTURE(text);
    CHECK(refused([&] { Certificate::from_pem(text); }));
  }
}

TEST_CASE("others' certificates are read") {
  const std::string pem = foreign_pem({"-newkey", "rsa:2048", "-subj", "/O=Other/CN=other root", "-addext",
                                       "subjectAltName=DNS:a.example,IP:2001:db8::1,email:x@example.com,"
                                       "URI:http://a.example/"});
  const Certificate certificate = Certificate::from_pem(pem);
  CHECK(certificate.is_certificate_authority());  // no keyUsage restricts nothing
  CHECK(certificate.is_self_issued());
  CHECK_FALSE(certificate.path_length().has_value());
  CHECK(certificate.verifies_with(certificate.public_key()));
  CHECK_FALSE(certificate.verifies_with(shared_signer(KeyAlgorithm::rsa_2048).public_key()));
  CHECK_FALSE(certificate.verifies_with(shared_signer(KeyAlgorithm::ec_p256).public_key()));
  const auto names = certificate.alternative_names();
  REQUIRE(names.size() == 3);  // no word for the URI
  CHECK(names[0].to_string() == "DNS:a.example");
  CHECK(names[1].to_string() == "IP:2001:db8::1");
  CHECK(names[2].to_string() == "email:x@example.com");
}

TEST_CASE("an authority needs keyCertSign where there is a keyUsage") {
  CHECK_FALSE(Certificate::from_pem(
                  foreign_pem({"-newkey", "rsa:2048", "-subj", "/CN=x", "-addext", "keyUsage=digitalSignature"}))
                  .is_certificate_authority());
}

TEST_CASE("keys that signer.h cannot express are refused, their certificates are not") {
  const std::vector<std::vector<std::string>> keys = {
      {"-newkey", "ed25519"},
      {"-newkey", "rsa-pss"},
      {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"},
      {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"},
  };
  for (std::vector<std::string> options : keys) {
    CAPTURE(options.back());
    options.insert(options.end(), {"-subj", "/CN=x"});
    const Certificate certificate = Certificate::from_pem(foreign_pem(options));
    CHECK(certificate.subject() == "/CN=x");
    CHECK(refused([&] { certificate.public_key(); }));
  }
}

TEST_CASE("an issuer without subjectKeyIdentifier, with a name of other string types, is chained to exactly") {
  const TemporaryDirectory directory;
  // OpenSSL chooses PrintableString here, where this program writes UTF8String.
  const std::string key_file = directory.file("key.pem");
  const std::string config =
      directory.write("req.cnf",
                      "[req]\ndistinguished_name=dn\nx509_extensions=ext\nstring_mask=default\n[dn]\n[ext]\n"
                      "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=none\n");
  must_run({"openssl", "req", "-x509", "-nodes", "-config", config, "-newkey", "rsa:2048", "-keyout", key_file, "-subj",
            "/C=DE/O=Foreign/CN=Plain", "-days", "30", "-out", directory.file("ca.pem")});
  const Certificate authority = Certificate::from_pem(read_file(directory.file("ca.pem")));

  // Signs with the foreign key, by the command.
  class CommandSigner : public Signer {
   public:
    CommandSigner(PublicKey key, const TemporaryDirectory& where) : key_(std::move(key)), where_(where) {}
    const PublicKey& public_key() const noexcept override { return key_; }
    Bytes sign(Digest, ByteView value, Deadline) override {
      must_run({"openssl", "pkeyutl", "-sign", "-inkey", where_.file("key.pem"), "-pkeyopt", "digest:sha256", "-in",
                where_.write("digest", std::string(value.begin(), value.end())), "-out", where_.file("signature")});
      const std::string signature = read_file(where_.file("signature"));
      return {signature.begin(), signature.end()};
    }

   private:
    PublicKey key_;
    const TemporaryDirectory& where_;
  } signer(authority.public_key(), directory);

  const Certificate leaf = issue(plain_spec(), shared_signer(KeyAlgorithm::ec_p256).public_key(), authority, signer);
  CHECK(leaf.issuer() == "/C=DE/O=Foreign/CN=Plain");
  // The issuer's name in the very string types of the authority, whatever they are (RFC 5280 4.1.2.4).
  const auto name = [&](const char* which, const std::string& pem) {
    const std::string line = must_run({"openssl", "x509", "-noout", which, "-nameopt", "oneline,show_type"}, pem);
    return line.substr(line.find('=') + 1);
  };
  CHECK(name("-issuer", leaf.pem()) == name("-subject", authority.pem()));
  must_run({"openssl", "verify", "-partial_chain", "-no_check_time", "-CAfile", directory.file("ca.pem"),
            directory.write("leaf.pem", leaf.pem())});
}
