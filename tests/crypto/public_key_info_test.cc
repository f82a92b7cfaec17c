// Public keys in PEM: openssl's and ours are the same, and nothing else is taken for one.
#include "crypto/public_key_info.h"

#include <doctest/doctest.h>
#include <openssl/err.h>

#include <string>
#include <vector>

#include "base/base64.h"
#include "base/error.h"
#include "support/command.h"
#include "support/software_signer.h"
#include "support/temporary_directory.h"

using namespace hsmsigner;
using namespace test_support;

namespace {

std::string refusal(const std::string& pem) {
  try {
    crypto::public_key_from_pem(pem);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_object);
    CHECK(ERR_peek_error() == 0);
    return error.details().empty() ? "" : error.details().front();
  }
  return "taken";
}

constexpr const char* kRefusal = "must be one public key in PEM (-----BEGIN PUBLIC KEY-----), RSA or EC";

std::string openssl_public_key(std::vector<std::string> options) {
  const TemporaryDirectory directory;
  std::vector<std::string> command = {"openssl", "genpkey", "-out", directory.file("key.pem")};
  command.insert(command.end(), options.begin(), options.end());
  must_run(command);
  return must_run({"openssl", "pkey", "-in", directory.file("key.pem"), "-pubout"});
}

std::string block(const Bytes& der) {
  return "-----BEGIN PUBLIC KEY-----\n" + to_base64(der) + "\n-----END PUBLIC KEY-----\n";
}

const std::string& p256() {
  static const std::string pem = crypto::public_key_pem(shared_signer(KeyAlgorithm::ec_p256).public_key());
  return pem;
}

}  // namespace

TEST_CASE("a public key in PEM and its fingerprint are what openssl pkey writes") {
  for (const KeyAlgorithmInfo& algorithm : key_algorithms()) {
    CAPTURE(algorithm.name);
    const PublicKey& key = shared_signer(algorithm.algorithm).public_key();
    const std::string pem = crypto::public_key_pem(key);
    CHECK(must_run({"openssl", "pkey", "-pubin", "-pubout"}, pem) == pem);
    CHECK(crypto::public_key_from_pem(pem) == key);
    const TemporaryDirectory directory;
    must_run({"openssl", "pkey", "-pubin", "-outform", "DER", "-out", directory.file("der")}, pem);
    CHECK(must_run({"openssl", "dgst", "-sha256", "-r", directory.file("der")}).substr(0, 64) ==
          crypto::public_key_fingerprint(key));
  }
}

TEST_CASE("blanks around the block and other line ends are no other key") {
  const PublicKey& key = shared_signer(KeyAlgorithm::ec_p256).public_key();
  std::string carriage_returns;
  for (const char c : p256()) carriage_returns += c == '\n' ? "\r\n" : std::string(1, c);
  CHECK(crypto::public_key_from_pem(carriage_returns) == key);
  CHECK(crypto::public_key_from_pem("\n " + p256() + "\n\n") == key);
  CHECK(crypto::public_key_from_pem(p256().substr(0, p256().size() - 1)) == key);
}

TEST_CASE("what is not one public key in PEM is refused") {
  const std::string body = p256().substr(27, p256().size() - 27 - 25);
  for (const std::string& text :
       {std::string(), std::string("\n"), body, p256() + p256(), "key:\n" + p256(), p256() + "key",
        "-----BEGIN CERTIFICATE-----\n" + body + "-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\n" + body + "-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nname: value\n\n" + body + "-----END PUBLIC KEY-----\n",
        std::string("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"),
        std::string("-----BEGIN PUBLIC KEY-----"), std::string(100000, '\n') + p256(), p256() + std::string(1, '\0'),
        must_run({"openssl", "ec", "-pubin", "-conv_form", "compressed", "-pubout"}, p256())}) {
    CAPTURE(text);
    const std::string said = refusal(text);
    CHECK(said.substr(said.rfind('\n') + 1) == kRefusal);
  }
}

TEST_CASE("a key of another family or curve is refused") {
  CHECK(refusal(openssl_public_key({"-algorithm", "ED25519"})) == kRefusal);
  CHECK(refusal(openssl_public_key({"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"})) == kRefusal);
  CHECK(refusal(openssl_public_key({"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt",
                                    "ec_param_enc:explicit"})) == kRefusal);
  CHECK(refusal(openssl_public_key({"-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"})) == kRefusal);
}

TEST_CASE("of a key's DER no octet may be another, more or fewer") {
  const PublicKey& key = shared_signer(KeyAlgorithm::ec_p256).public_key();
  const Bytes der = crypto::public_key_der(key);
  for (std::size_t at = 0; at < der.size(); ++at) {
    CAPTURE(at);
    CHECK(refusal(block(Bytes(der.begin(), der.begin() + static_cast<std::ptrdiff_t>(at)))) == kRefusal);
    Bytes changed = der;
    changed[at] ^= 1;  // a point of P-256 has no neighbour that is one
    CHECK(refusal(block(changed)) == kRefusal);
  }
  Bytes longer = der;
  longer.push_back(0);
  CHECK(refusal(block(longer)) == kRefusal);
}

TEST_CASE("numbers that are no key are not written") {
  for (const PublicKey& key :
       {PublicKey(RsaPublicKey{}), PublicKey(RsaPublicKey{Bytes(256, 0xff), {}}),
        PublicKey(RsaPublicKey{Bytes(256, 0xff), {1}}), PublicKey(RsaPublicKey{{3}, {3}}),
        PublicKey(RsaPublicKey{Bytes(256, 0xfe), {3}}), PublicKey(EcPublicKey{KeyAlgorithm::ec_p256, Bytes(65, 4)})}) {
    CHECK_THROWS_AS(crypto::public_key_pem(key), Error);
    CHECK_THROWS_AS(crypto::public_key_fingerprint(key), Error);
    CHECK(ERR_peek_error() == 0);
  }
}
