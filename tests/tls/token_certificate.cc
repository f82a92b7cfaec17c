#include "tls/token_certificate.h"

#include "support/command.h"
#include "support/temporary_directory.h"

namespace tls_test {

using namespace hsmsigner;

namespace {

// SubjectPublicKeyInfo written by the openssl command.
std::string public_key_pem(const PublicKey& key) {
  std::string text = "asn1=SEQUENCE:spki\n[spki]\nalgorithm=SEQUENCE:algorithm\n";
  if (const auto* rsa = std::get_if<RsaPublicKey>(&key)) {
    text += "key=BITWRAP,SEQUENCE:key\n[algorithm]\noid=OID:rsaEncryption\nparameters=NULL\n[key]\nmodulus=INTEGER:0x" +
            to_hex(rsa->modulus) + "\nexponent=INTEGER:0x" + to_hex(rsa->exponent) + "\n";
  } else {
    const unsigned bits = bits_of(key);
    text += "key=FORMAT:HEX,BITSTRING:" + to_hex(std::get<EcPublicKey>(key).point) +
            "\n[algorithm]\noid=OID:id-ecPublicKey\ncurve=OID:" +
            (bits == 256   ? "prime256v1"
             : bits == 384 ? "secp384r1"
                           : "secp521r1") +
            "\n";
  }
  const test_support::TemporaryDirectory directory;
  const std::string der = directory.file("key.der");
  test_support::must_run({"openssl", "asn1parse", "-genconf", directory.write("key.cnf", text), "-noout", "-out", der});
  return test_support::must_run({"openssl", "pkey", "-pubin", "-inform", "DER", "-in", der});
}

}  // namespace

TokenCertificate::TokenCertificate(const Authority& authority, hsm::Token& token, KeyAlgorithm algorithm,
                                   const std::string& name) {
  hsm::GeneratedKey made = token.generate({id, algorithm, true}, deadline_in(std::chrono::seconds(60)));
  public_key = made.key()->public_key();
  made.keep();
  pem = authority.issue_for(name, public_key_pem(public_key));
}

}  // namespace tls_test
