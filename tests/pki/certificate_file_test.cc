// Certificates in PEM and DER files, and what is said of files that hold anything else.
#include "pki/certificate_file.h"

#include "file_fixtures.h"
#include "pki/pem_blocks.h"
#include "support/command.h"

using namespace hsmsigner;
using namespace test_support;
using pki::parse_der_certificate_file;
using pki::parse_pem_certificate_file;

namespace {

std::string pem_refusal(const std::string& file) {
  return refusal([&] { parse_pem_certificate_file(octets(file)); });
}
std::string der_refusal(const std::string& file) {
  return refusal([&] { parse_der_certificate_file(octets(file)); });
}

std::string to_der(const std::string& pem) { return openssl_convert({"x509", "-outform", "DER"}, pem); }

}  // namespace

TEST_CASE("a certificate is read from PEM with text around it and from DER") {
  const std::string pem = openssl_certificate(openssl_key(KeyAlgorithm::rsa_2048), "x");
  const std::string der = to_der(pem);
  CHECK(text(parse_pem_certificate_file(octets(pem)).der()) == der);
  CHECK(text(parse_der_certificate_file(octets(der)).der()) == der);
  const std::string with_text = openssl_convert({"x509", "-text"}, pem);
  REQUIRE(with_text.starts_with("Certificate:"));
  CHECK(text(parse_pem_certificate_file(octets(with_text)).der()) == der);
  std::string crlf;
  for (const char c : pem) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  CHECK(text(parse_pem_certificate_file(octets(crlf)).der()) == der);
  std::string old_label = pem;
  for (std::size_t at = 0; (at = old_label.find(" CERTIFICATE", at)) != std::string::npos; at += 12) {
    old_label.insert(at, " X509");
    at += 5;
  }
  CHECK(text(parse_pem_certificate_file(octets(old_label)).der()) == der);
}

TEST_CASE("a file that is not one certificate is refused by what it holds") {
  const std::string& key = openssl_key(KeyAlgorithm::rsa_2048);
  const std::string pem = openssl_certificate(key, "x");
  const std::string der = to_der(pem);
  const std::string private_key =
      "certificate_file: holds a private key where only a certificate is taken; the key goes into key_file";
  const std::string nothing = "certificate_file: holds no certificate";
  const std::string damaged = "certificate_file: holds a certificate that is damaged";
  CHECK(pem_refusal(pem + pem + pem) == "certificate_file: holds 3 certificates, of which one can be taken");
  CHECK(pem_refusal(pem + key) == private_key);
  CHECK(pem_refusal(key) == private_key);
  CHECK(pem_refusal("") == nothing);
  CHECK(pem_refusal("hello") == nothing);
  CHECK(pem_refusal(openssl_convert({"pkey", "-pubout"}, key)) ==
        "certificate_file: holds a public key, not a certificate");
  CHECK(pem_refusal(der) == "certificate_file: is DER, not PEM");
  CHECK(pem_refusal("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n") == damaged);
  CHECK(pem_refusal("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n") == damaged);
  CHECK(pem_refusal("-----BEGIN CERTIFICATE-----\n") == "certificate_file: holds PEM that is damaged");

  CHECK(der_refusal(pem) == "certificate_file: is PEM, not DER");
  CHECK(der_refusal("") == nothing);
  CHECK(der_refusal(der + der) == nothing);
  for (const std::vector<std::string>& form : std::vector<std::vector<std::string>>{
           {"pkcs8", "-topk8", "-nocrypt"}, {"pkcs8", "-topk8", "-passout", "pass:x"}, {"pkey", "-traditional"}}) {
    std::vector<std::string> arguments = form;
    arguments.insert(arguments.end(), {"-outform", "DER"});
    CHECK(der_refusal(openssl_convert(arguments, key)) == private_key);
  }
  CHECK(der_refusal(openssl_pkcs12(key, pem, "x")) == "certificate_file: is a PKCS#12 file, whose format is pkcs12");
}

TEST_CASE("a certificate whose key cannot be expressed is refused") {
  const TemporaryDirectory directory;
  must_run({"openssl", "genpkey", "-algorithm", "ED25519", "-out", directory.file("key.pem")});
  const std::string pem = openssl_certificate(read_file(directory.file("key.pem")), "x");
  CHECK(pem_refusal(pem) == "certificate_file: the public key is neither RSA nor EC");
  CHECK(der_refusal(to_der(pem)) == "certificate_file: the public key is neither RSA nor EC");
}

TEST_CASE("a truncated certificate file is refused wherever it ends") {
  const std::string pem = openssl_certificate(openssl_key(KeyAlgorithm::rsa_2048), "x");
  const std::string der = to_der(pem);
  for (std::size_t size = 0; size + 2 < pem.size(); size += 50) {
    CHECK(pem_refusal(pem.substr(0, size)).starts_with("certificate_file: "));
  }
  for (std::size_t size = 0; size < der.size(); size += 50) {
    CHECK(der_refusal(der.substr(0, size)) == "certificate_file: holds no certificate");
  }
}

TEST_CASE("a certificate with a malformed date is refused, whichever it is and however it comes") {
  const std::string& key = openssl_key(KeyAlgorithm::ec_p256);
  const std::string der = to_der(openssl_certificate(key, "x"));
  const std::string utc_time("\x17\x0d", 2);  // RFC 5280 4.1.2.5.1: YYMMDDHHMMSSZ
  std::size_t at = 0;
  for (int which = 0; which < 2; ++which) {
    at = der.find(utc_time, at + 1);
    REQUIRE(at != std::string::npos);
    for (const char* date : {"99xx32000000Z", "990230000000Z", "990101250000Z", "9901010000000"}) {
      CAPTURE(which);
      CAPTURE(date);
      const std::string bad = std::string(der).replace(at + 2, 13, date);
      CHECK(der_refusal(bad) == "certificate_file: holds a certificate with a malformed date");
      const std::string pem = pki::to_pem("CERTIFICATE", octets(bad));
      CHECK(pem_refusal(pem) == "certificate_file: holds a certificate with a malformed date");
    }
  }
}

TEST_CASE("a certificate of more than 65536 octets is refused") {
  const TemporaryDirectory directory;
  const auto with_comment = [&](std::size_t size) {
    const std::string config =
        directory.write("config", "[req]\ndistinguished_name=dn\nx509_extensions=v3\n[dn]\n[v3]\n1.2.3.4=DER:" +
                                      std::string(2 * size, '0'));
    must_run({"openssl", "req", "-x509", "-new", "-key", directory.write("key", openssl_key(KeyAlgorithm::rsa_2048)),
              "-subj", "/CN=x", "-config", config, "-set_serial", "4711", "-out", directory.file("pem")});
    return read_file(directory.file("pem"));
  };
  const std::size_t others = to_der(with_comment(60000)).size() - 60000;
  CHECK(pem_refusal(with_comment(65536 - others)).empty());
  const std::string longer = with_comment(65537 - others);
  CHECK(to_der(longer).size() == 65537);
  CHECK(pem_refusal(longer) == "certificate_file: is longer than 65536 octets");
  CHECK(der_refusal(to_der(longer)) == "certificate_file: is longer than 65536 octets");
}
