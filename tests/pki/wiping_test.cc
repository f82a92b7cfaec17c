// That reading and writing private keys leaves nothing of them in this process's memory.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>

#include "file_fixtures.h"
#include "pki/certificate_file.h"
#include "pki/private_key_file.h"
#include "support/command.h"

// The sanitizers' own mappings are too large to be searched.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HSM_SIGNER_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HSM_SIGNER_SANITIZED 1
#endif
#endif
#ifndef HSM_SIGNER_SANITIZED

using namespace hsmsigner;
using namespace test_support;

namespace {

// Complemented, so that what is looked for is not itself found.
std::string complement(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) result += static_cast<char>(~c);
  return result;
}

// How often the octets are in writable memory, in this order or as a number's words have them (little-endian).
std::size_t copies_of(const std::string& complemented) {
  const std::string reversed(complemented.rbegin(), complemented.rend());
  std::size_t found = 0;
  std::ifstream maps("/proc/self/maps");
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  REQUIRE(memory >= 0);
  static std::array<char, 1 << 20> chunk;  // zero but while it is searched, so that it does not find itself
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::size_t begin = 0;
    std::size_t end = 0;
    char dash = 0;
    std::string rights;
    words >> std::hex >> begin >> dash >> end >> rights;
    if (!rights.starts_with("rw")) continue;
    while (end - begin > complemented.size()) {
      const ssize_t size =
          ::pread(memory, chunk.data(), std::min(chunk.size(), end - begin), static_cast<off_t>(begin));
      if (size <= 0) break;
      for (char& c : chunk) c = static_cast<char>(~c);
      const std::string_view searched(chunk.data(), static_cast<std::size_t>(size));
      for (const std::string& form : {complemented, reversed}) {
        for (std::size_t at = 0; (at = searched.find(form, at)) != std::string_view::npos; ++at) ++found;
      }
      cleanse(chunk.data(), chunk.size());
      begin += searched.size() == chunk.size() ? searched.size() - complemented.size() : searched.size();
    }
  }
  ::close(memory);
  return found;
}

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
