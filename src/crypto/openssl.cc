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
  switch (digest) {
    case Digest::md5: return EVP_md5();
    case Digest::sha1: return EVP_sha1();
    case Digest::sha256: return EVP_sha256();
    case Digest::sha384: return EVP_sha384();
    case Digest::sha512: return EVP_sha512();
  }
  return nullptr;
}

}  // namespace hsmsigner::crypto
