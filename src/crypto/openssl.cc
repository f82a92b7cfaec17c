#include "crypto/openssl.h"

#include <openssl/err.h>

#include <array>

namespace hsmsigner::crypto {

CleanErrorQueue::CleanErrorQueue() noexcept { ERR_clear_error(); }
CleanErrorQueue::~CleanErrorQueue() { ERR_clear_error(); }

std::string openssl_errors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> line{};
    ERR_error_string_n(code, line.data(), line.size());
    if (!text.empty()) text += "; ";
    text += line.data();
  }
  return text;
}

void throw_openssl(std::string_view what, SourcePlace where) {
  std::string cause(what);
  const std::string errors = openssl_errors();
  if (!errors.empty()) cause += ": " + errors;
  throw Error(ErrorKind::internal_error, {}, where).with_cause(std::move(cause));
}

const EVP_MD* evp_md(Digest digest) noexcept {
  // Looked up among the providers once: EVP_sha256() and the like would make each use look it up, under a lock.
  // Never freed.
  static const std::array<const EVP_MD*, 5> fetched = [] {
    std::array<const EVP_MD*, 5> all{};
    for (const DigestAlgorithmInfo& row : digests()) {
      all.at(static_cast<std::size_t>(row.digest)) = EVP_MD_fetch(nullptr, std::string(row.name).c_str(), nullptr);
    }
    return all;
  }();
  return fetched[static_cast<std::size_t>(digest)];
}

}  // namespace hsmsigner::crypto
