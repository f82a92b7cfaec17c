#include "crypto/digest.h"

#include "crypto/openssl.h"

namespace hsmsigner::crypto {

Bytes hash(Digest digest, ByteView data) {
  Bytes value(info(digest).size);
  require(EVP_Digest(data.data(), data.size(), value.data(), nullptr, evp_md(digest), nullptr), "EVP_Digest");
  return value;
}

std::string sha256_hex(std::string_view text) { return to_hex(hash(Digest::sha256, octets_of(text))); }

}  // namespace hsmsigner::crypto
