#include "file_fixtures.h"

#include <openssl/evp.h>

#include <map>
#include <mutex>

#include "crypto/signature.h"
#include "support/command.h"

namespace test_support {

using namespace hsmsigner;

const std::string& openssl_key(KeyAlgorithm algorithm, int which) {
  static std::mutex mutex;
  static std::map<std::pair<KeyAlgorithm, int>, std::string> keys;
  const std::lock_guard lock(mutex);
  std::string& key = keys[{algorithm, which}];
  if (!key.empty()) return key;
  const KeyAlgorithmInfo& row = info(algorithm);
  std::vector<std::string> command = {"openssl", "genpkey", "-algorithm"};
  if (row.family == KeyFamily::rsa) {
    command.insert(command.end(), {"RSA", "-pkeyopt", "rsa_keygen_bits:" + std::to_string(row.bits)});
  } else {
    command.insert(command.end(), {"EC", "-pkeyopt", "ec_paramgen_curve:" + std::string(row.openssl)});
  }
  const TemporaryDirectory directory;
  command.insert(command.end(), {"-out", directory.file("key.pem")});
  must_run(command);
  return key = read_file(directory.file("key.pem"));
}

std::string openssl_convert(std::vector<std::string> arguments, const std::string& input) {
  const TemporaryDirectory directory;
  arguments.insert(arguments.begin(), "openssl");
  arguments.insert(arguments.end(), {"-in", directory.write("in", input), "-out", directory.file("out")});
  must_run(arguments);
  return read_file(directory.file("out"));
}

std::vector<std::string> with_legacy(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"-provider", "legacy", "-provider", "default"});
  return arguments;
}

std::string openssl_certificate(const std::string& key, const std::string& common_name, const std::string& extension) {
  const TemporaryDirectory directory;
  must_run({"openssl", "req", "-x509", "-new", "-key", directory.write("key.pem", key), "-subj", "/CN=" + common_name,
            "-days", "30", "-config", directory.write("config", "[req]\ndistinguished_name=dn\n[dn]\n"), "-addext",
            extension, "-out", directory.file("certificate.pem")});
  return read_file(directory.file("certificate.pem"));
}

std::string openssl_pkcs12(const std::string& key, const std::string& certificate, const std::string& passphrase,
                           std::vector<std::string> options, const std::string& chain) {
  const TemporaryDirectory directory;
  std::vector<std::string> command = {"openssl",
                                      "pkcs12",
                                      "-export",
                                      "-in",
                                      directory.write("in.pem", certificate),
                                      "-passout",
                                      "pass:" + passphrase,
                                      "-out",
                                      directory.file("out.p12")};
  if (key.empty()) {
    command.emplace_back("-nokeys");
  } else {
    command.insert(command.end(), {"-inkey", directory.write("key.pem", key)});
  }
  if (!chain.empty()) command.insert(command.end(), {"-certfile", directory.write("chain.pem", chain)});
  command.insert(command.end(), options.begin(), options.end());
  must_run(command);
  return read_file(directory.file("out.p12"));
}

void check_same_key(const PrivateKey& parsed, const std::string& pem) {
  const std::string expected = openssl_convert({"pkcs8", "-topk8", "-nocrypt", "-outform", "DER"}, pem);
  CHECK(text(parsed.pkcs8) == expected);

  // The parts, put together again by openssl's own reading of them.
  const TemporaryDirectory directory;
  const std::string message = "what is signed";
  must_run({"openssl", "dgst", "-sha256", "-sign", directory.write("key.der", text(parsed.pkcs8)), "-keyform", "DER",
            "-out", directory.file("signature"), directory.write("message", message)});
  const std::string signature = read_file(directory.file("signature"));
  Bytes digest(32);
  REQUIRE(EVP_Digest(message.data(), message.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  CHECK(crypto::verifies(parsed.public_key(), Digest::sha256, digest, octets(signature)));

  if (const auto* ec = std::get_if<EcPrivateKey>(&parsed.parts)) {
    CHECK(ec->value.size() == (info(ec->public_key.curve).bits + 7) / 8);
    CHECK(expected.find(text(ec->value)) != std::string::npos);
  } else {
    const auto& rsa = std::get<RsaPrivateKey>(parsed.parts);
    std::size_t after = 0;  // RFC 8017 A.1.2: in this order
    for (const Secret* number :
         {&rsa.private_exponent, &rsa.prime_1, &rsa.prime_2, &rsa.exponent_1, &rsa.exponent_2, &rsa.coefficient}) {
      const std::size_t at = expected.find(text(*number), after);
      REQUIRE(at != std::string::npos);
      CHECK(number->view().front() != '\0');
      after = at + number->size();
    }
    CHECK(after == expected.size());
  }
}

}  // namespace test_support
