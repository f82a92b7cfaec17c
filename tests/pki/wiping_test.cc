// That reading and writing private keys leaves nothing of them in this process's memory.
#include <functional>
#include <string>
#include <utility>

#include "file_fixtures.h"
#include "pki/certificate_file.h"
#include "pki/private_key_file.h"
#include "support/command.h"
#include "support/memory_search.h"

#ifndef HSM_SIGNER_SANITIZED

using namespace hsmsigner;
using namespace test_support;

namespace {

// The last half of the private number, which no public field has.
std::string secret_part(const PrivateKey& key) {
  const Secret& number = std::holds_alternative<RsaPrivateKey>(key.parts) ? std::get<RsaPrivateKey>(key.parts).prime_1
                                                                          : std::get<EcPrivateKey>(key.parts).value;
  return complement(number.view().substr(number.size() / 2));
}

void check_wiped(const std::function<PrivateKey()>& parse) {
  std::string needle;
  {
    const PrivateKey key = parse();
    needle = secret_part(key);
    CHECK(copies_of(needle) >= 2);  // the PKCS#8 and the part
  }
  CHECK(copies_of(needle) == 0);
}

}  // namespace

TEST_CASE("nothing of a private key stays in memory when it was read and dropped, or written") {
  const Secret passphrase(std::string_view("correct horse"));
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::rsa_2048, KeyAlgorithm::ec_p256}) {
    CAPTURE(info(algorithm).name);
    // A key that no other test has read; its PEM is Base64, in which the octets do not show.
    const std::string& pem = openssl_key(algorithm, 77);
    const std::string traditional = openssl_convert({"pkey", "-traditional"}, pem);
    const std::string dek = openssl_convert({"pkey", "-traditional", "-aes256", "-passout", "pass:correct horse"}, pem);
    const std::string pbes2 = openssl_convert({"pkcs8", "-topk8", "-passout", "pass:correct horse"}, pem);
    const std::string certificate = openssl_certificate(pem, "x");
    const std::string pkcs12 = openssl_pkcs12(pem, certificate, "correct horse");
    for (const std::string& file : {pem, traditional, dek, pbes2}) {
      check_wiped([&] { return pki::parse_private_key(Secret(file), &passphrase); });
    }
    check_wiped([&] { return *std::move(pki::parse_pkcs12(Secret(pkcs12), passphrase).key); });
    check_wiped([&] {
      PrivateKey key = pki::parse_private_key(Secret(pem), nullptr);
      pki::encrypted_private_key_pem(key.pkcs8, passphrase);
      pki::make_pkcs12(pki::Certificate::from_pem(certificate), key.pkcs8, "x", passphrase);
      return key;
    });
    // A refused one.
    const std::string needle = secret_part(pki::parse_private_key(Secret(pem), nullptr));
    const std::string damaged = pbes2.substr(0, pbes2.size() / 2) + (pbes2[pbes2.size() / 2] == 'A' ? "B" : "A") +
                                pbes2.substr(pbes2.size() / 2 + 1);
    CHECK(refusal([&] { pki::parse_private_key(Secret(damaged), &passphrase); }) != "");
    CHECK(copies_of(needle) == 0);
  }
}

#endif
