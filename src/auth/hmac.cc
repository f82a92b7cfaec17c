#include "auth/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/error.h"

namespace hsmsigner::auth {

Bytes hmac_sha256(ByteView key, ByteView data) {
  Bytes value(32);
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), value.data(), &size) ==
          nullptr ||
      size != value.size()) {
    throw Error(ErrorKind::internal_error).with_cause("HMAC");
  }
  return value;
}

}  // namespace hsmsigner::auth
