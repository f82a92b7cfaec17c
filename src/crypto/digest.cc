#include "crypto/digest.h"

#include <openssl/evp.h>

#include "base/error.h"

namespace hsmsigner::crypto {
namespace {

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

}  // namespace

Bytes hash(Digest digest, ByteView data) {
  Bytes value(info(digest).size);
  if (EVP_Digest(data.data(), data.size(), value.data(), nullptr, evp_md(digest), nullptr) != 1) {
    throw Error(ErrorKind::internal_error).with_cause("EVP_Digest");
  }
  return value;
}

std::string sha256_hex(std::string_view text) {
  return to_hex(hash(Digest::sha256, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
}

}  // namespace hsmsigner::crypto
