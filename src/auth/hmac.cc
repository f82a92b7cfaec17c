#include "auth/hmac.h"

#include <openssl/hmac.h>

#include "crypto/openssl.h"

namespace hsmsigner::auth {

Bytes hmac_sha256(ByteView key, ByteView data) {
  Bytes value(32);
  unsigned int size = 0;
  crypto::require_pointer(
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), value.data(), &size),
      "HMAC");
  return value;
}

}  // namespace hsmsigner::auth
