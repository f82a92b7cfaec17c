// What stands in an issued certificate, field by field, as other programs read it.
#include <doctest/doctest.h>
#include <openssl/err.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "pki/certificate_builder.h"
#include "issuing.h"
#include "support/command.h"

using namespace hsmsigner;
using namespace test_support;
using pki::AlternativeName;
using pki::Certificate;
using pki::CertificateSpec;
using Kind = pki::AlternativeName::Kind;

namespace {

std::string text_of(const Certificate& certificate) {
  return must_run({"openssl", "x509", "-noout", "-text"}, certificate.pem());
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// DER of an Extension that stands somewhere in the certificate, in hexadecimal.
bool has_der(const Certificate& certificate, const std::string& hex) { return has(to_hex(certificate.der()), hex); }

Certificate self(const CertificateSpec& spec) { return self_signed(spec, shared_signer(KeyAlgorithm::ec_p256)); }

// The one detail of the refusal; empty when there was none.
std::string refusal(const CertificateSpec& spec) {
  try {
    self(spec);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_object);
    CHECK(ERR_peek_error() == 0);
    REQUIRE(error.details().size() == 1);
    return error.details().front();
  }
  return "";
}

std::string name_of(const Certificate& certificate) { return must_run({"openssl", "asn1parse"}, certificate.pem()); }

}  // namespace

TEST_CASE("a leaf's extensions") {
  const Certificate leaf = self(plain_spec());
  const std::string text = text_of(leaf);
  CHECK(has(text, "Version: 3 (0x2)"));
  CHECK(has(text, "X509v3 Basic Constraints: critical\n                CA:FALSE\n"));
  CHECK(has(text, "X509v3 Key Usage: critical\n                Digital Signature\n"));
  CHECK(has(text,
            "X509v3 Extended Key Usage: \n                TLS Web Server Authentication, TLS Web Client "
            "Authentication\n"));
  CHECK_FALSE(has(text, "Subject Alternative Name"));
  CHECK_FALSE(has(text, "Authority Information Access"));
  CHECK(has_der(leaf, "300c0603551d130101ff04023000"));      // basicConstraints, critical, empty SEQUENCE
  CHECK(has_der(leaf, "300e0603551d0f0101ff040403020780"));  // keyUsage, critical, digitalSignature
  CHECK(has_der(leaf, "301d0603551d250416301406082b0601050507030106082b06010505070302"));  // extKeyUsage, not critical
  CHECK_FALSE(leaf.is_certificate_authority());
  CHECK_FALSE(leaf.path_length().has_value());
}

TEST_CASE("an RSA leaf may encipher keys") {
  const Certificate leaf = self_signed(plain_spec(), shared_signer(KeyAlgorithm::rsa_2048));
  CHECK(has(text_of(leaf), "Digital Signature, Key Encipherment\n"));
  CHECK(has_der(leaf, "300e0603551d0f0101ff0404030205a0"));
}

TEST_CASE("an authority's extensions") {
  const Certificate authority = self(authority_spec());
  CHECK(has_der(authority, "300f0603551d130101ff040530030101ff"));  // basicConstraints, critical, cA
  CHECK(has_der(authority, "300e0603551d0f0101ff040403020186"));    // digitalSignature, keyCertSign, cRLSign
  CHECK(has(text_of(authority), "Digital Signature, Certificate Sign, CRL Sign\n"));
  CHECK_FALSE(has(text_of(authority), "Extended Key Usage"));
  CHECK(authority.is_certificate_authority());
  CHECK_FALSE(authority.path_length().has_value());
}

TEST_CASE("path lengths are read back") {
  for (const unsigned length : {0U, 1U, 127U, 128U, 100000U}) {
    CertificateSpec spec = authority_spec();
    spec.path_length = length;
    const Certificate authority = self(spec);
    CHECK(authority.path_length() == length);
    CHECK(has(text_of(authority), "CA:TRUE, pathlen:" + std::to_string(length) + "\n"));
  }
  CertificateSpec leaf = plain_spec();
  leaf.path_length = 0;
  CHECK(refusal(leaf) == "path_length: is for a certificate authority only");
}

TEST_CASE("key identifiers: SHA-1 of the key's octets, the issuer's repeated") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  const Certificate authority = self(authority_spec());
  const Certificate leaf = issue(plain_spec(), shared_signer(KeyAlgorithm::rsa_1024).public_key(), authority, signer);
  const Bytes& point = std::get<EcPublicKey>(signer.public_key()).point;
  const std::string expected =
      must_run({"openssl", "dgst", "-sha1", "-r"}, std::string(point.begin(), point.end())).substr(0, 40);
  CHECK(has_der(authority, "301d0603551d0e04160414" + expected));
  CHECK(has_der(authority,
                "301f0603551d230418301680"
                "14" +
                    expected));
  CHECK(has_der(leaf,
                "301f0603551d230418301680"
                "14" +
                    expected));
  CHECK_FALSE(has_der(leaf, "301d0603551d0e04160414" + expected));
}

TEST_CASE("alternative names and the OCSP address") {
  CertificateSpec spec = plain_spec();
  spec.alternative_names = {{Kind::dns, "*.example.com"},
                            {Kind::dns, "xn--bcher-kva.example"},
                            {Kind::ip, "192.0.2.1"},
                            {Kind::ip, "2001:db8::1"},
                            {Kind::email, "a@example.com"},
                            // In a configuration string this would be two names.
                            {Kind::dns, "a,DNS:evil.example"}};
  spec.ocsp_url = "http://ocsp.example.com/x?a=b,c";
  const Certificate certificate = self(spec);
  CHECK(certificate.alternative_names() == spec.alternative_names);
  const std::string text = text_of(certificate);
  CHECK(has(text,
            "X509v3 Subject Alternative Name: \n                DNS:*.example.com, DNS:xn--bcher-kva.example, "
            "IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, email:a@example.com, "
            "DNS:a"));
  CHECK(has(text, "Authority Information Access: \n                OCSP - URI:http://ocsp.example.com/x?a=b,c\n"));
}

TEST_CASE("alternative names that cannot be encoded are refused") {
  const std::vector<AlternativeName> bad = {
      {Kind::dns, ""},
      {Kind::dns,
       "b\xc3\xbc"
       "cher"},
      {Kind::dns, std::string("a\0b", 3)},
      {Kind::dns, "a b"},
      {Kind::email, "\xc3\xa4@x"},
      {Kind::email, "a@x\n"},
      {Kind::ip, ""},
      {Kind::ip, "192.0.2.256"},
      {Kind::ip, "192.0.2.1/24"},
      {Kind::ip, "2001:db8::g"},
      {Kind::ip, std::string("1.2.3.4\0", 8)},
  };
  for (const AlternativeName& name : bad) {
    CAPTURE(name.to_string());
    CertificateSpec spec = plain_spec();
    spec.alternative_names = {name};
    CHECK_FALSE(refusal(spec).empty());
  }
  CertificateSpec spec = plain_spec();
  spec.ocsp_url = "http://x.example/ ";
  CHECK(refusal(spec) == "ocsp_responder_url: must be printable ASCII without spaces");
}

TEST_CASE("the subject's order and string types") {
  CertificateSpec spec = plain_spec();
  spec.subject = {"DE", "Bayern", "M\xc3\xbcnchen", {"first", "second"}, "plain ascii", "a@example.com"};
  const std::string parsed = name_of(self(spec));
  const std::vector<std::pair<std::string, std::string>> expected = {
      {":countryName", "PRINTABLESTRING   :DE"},
      {":stateOrProvinceName", "UTF8STRING        :Bayern"},
      {":localityName", "UTF8STRING        :M\xc3\xbcnchen"},
      {":organizationalUnitName", "UTF8STRING        :first"},
      {":organizationalUnitName", "UTF8STRING        :second"},
      {":commonName", "UTF8STRING        :plain ascii"},
      {":emailAddress", "IA5STRING         :a@example.com"},
  };
  std::size_t at = 0;
  for (const auto& entry : expected) {
    const std::string& type = entry.first;  // clang 14 captures no structured binding
    CAPTURE(parsed);
    CAPTURE(type);
    at = parsed.find(type, at);
    REQUIRE(at != std::string::npos);
    at = parsed.find('\n', at);
    const std::size_t end = parsed.find('\n', at + 1);
    CHECK(has(parsed.substr(at, end - at), entry.second));
  }
}

TEST_CASE("weird but valid names are kept octet for octet") {
  for (const std::string name : {"/CN=x/O=Injected", "a,b+c=d\"e\\f;g<h>",
                                 "\xf0\x9f\x94\x91 \xe2\x80\xae"
                                 "evil",
                                 "\xe6\x97\xa5\xe6\x9c\xac", " lead", "#0102", "line\nbreak", "\x7f\x01"}) {
    CAPTURE(name);
    const Certificate certificate = self(plain_spec(name.c_str()));
    std::string hex = to_hex(Bytes(name.begin(), name.end()));
    const Bytes size = {static_cast<std::uint8_t>(name.size())};
    CHECK(has_der(certificate, "06035504030c" + to_hex(size) + hex));
    CHECK(certificate.is_self_issued());
  }
}

TEST_CASE("bounds count characters, not octets") {
  std::string euros;
  for (int i = 0; i < 64; ++i) euros += "\xe2\x82\xac";
  CHECK(refusal(plain_spec(euros.c_str())).empty());
  CHECK(refusal(plain_spec((euros + "x").c_str())) == "common_name: is longer than 64 characters");
}

TEST_CASE("subjects that cannot be encoded are refused by field") {
  for (const char* text : {"\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                           "x\xc3", "\xe2\x82", "\x80", "\xc3\x28"}) {
    CHECK(refusal(plain_spec(text)) == "common_name: is not UTF-8");
  }
  const auto with = [](const auto& change) {
    CertificateSpec spec = plain_spec();
    change(spec.subject);
    return refusal(spec);
  };
  CHECK(with([](auto& s) { s.common_name = std::string("a\0b", 3); }) == "common_name: holds a NUL character");
  CHECK(with([](auto& s) { s.common_name.clear(); }) == "common_name: the subject is empty");
  CHECK(with([](auto& s) { s.country = "DEU"; }) == "country_code: is longer than 2 characters");
  CHECK(with([](auto& s) { s.country = "D"; }) == "country_code: must be two letters");
  CHECK(with([](auto& s) { s.country = "D_"; }) == "country_code: must be two letters");
  CHECK(with([](auto& s) { s.organizational_units = {"ok", ""}; }) == "department[1]: is empty");
  CHECK(with([](auto& s) { s.email = "\xc3\xa4@x"; }) == "email: must be ASCII");
}

TEST_CASE("serial numbers outside RFC 5280 4.1.2.2 are refused") {
  for (const Bytes& serial : {Bytes{}, Bytes{0}, Bytes(20, 0), Bytes{0x80}, Bytes(21, 1)}) {
    CertificateSpec spec = plain_spec();
    spec.serial = serial;
    CHECK(refusal(spec).starts_with("serial: "));
  }
}

TEST_CASE("validity: UTCTime through 2049, GeneralizedTime from 2050") {
  using namespace std::chrono;
  struct Row {
    UnixTime time;
    const char* encoded;
  };
  const std::vector<Row> rows = {
      {sys_days{2049y / December / 31} + 23h + 59min + 59s, "UTCTIME           :491231235959Z"},
      {sys_days{2050y / January / 1}, "GENERALIZEDTIME   :20500101000000Z"},
      {sys_days{2127y / June / 15} + 1s, "GENERALIZEDTIME   :21270615000001Z"},
      {sys_days{9999y / December / 31} + 23h + 59min + 59s, "GENERALIZEDTIME   :99991231235959Z"},
  };
  for (const Row& row : rows) {
    CertificateSpec spec = plain_spec();
    spec.not_after = row.time;
    const Certificate certificate = self(spec);
    CHECK(certificate.not_before() == spec.not_before);
    CHECK(certificate.not_after() == row.time);
    CHECK(has(name_of(certificate), row.encoded));
    CHECK(has(name_of(certificate), "UTCTIME           :260101000000Z"));
  }
}

TEST_CASE("validities that cannot be are refused") {
  using namespace std::chrono;
  CertificateSpec spec = plain_spec();
  spec.not_after = spec.not_before - 1s;
  CHECK(refusal(spec) == "not_after: is before the beginning of the validity");
  spec.not_after = sys_days{10000y / January / 1};
  CHECK(refusal(spec) == "not_after: cannot be expressed in a certificate");
}
