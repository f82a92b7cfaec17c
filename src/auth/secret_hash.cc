#include "auth/secret_hash.h"

#include <openssl/crypto.h>

#include <string>

#include "auth/hmac.h"
#include "base/base64.h"
#include "base/error.h"

namespace hsmsigner::auth {

Secret client_secret(const Secret& random_octets) {
  if (random_octets.size() != kSecretOctets) {
    throw Error(ErrorKind::internal_error).with_cause("a client secret of the wrong size");
  }
  std::string text = to_base64url(random_octets.bytes());
  Secret secret{std::string_view(text)};
  cleanse(text);
  return secret;
}

Bytes hash_secret(const Secret& secret, ByteView salt) { return hmac_sha256(salt, secret.bytes()); }

bool equal_in_constant_time(ByteView a, ByteView b) noexcept {
  // The sizes are no secret: every hash is as long as the next.
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace hsmsigner::auth
