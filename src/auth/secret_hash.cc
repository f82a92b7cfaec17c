#include "auth/secret_hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>

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

Bytes hash_secret(const Secret& secret, ByteView salt) {
  Bytes hash(32);
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), salt.data(), static_cast<int>(salt.size()), secret.bytes().data(), secret.size(), hash.data(),
           &size) == nullptr ||
      size != hash.size()) {
    throw Error(ErrorKind::internal_error).with_cause("HMAC");
  }
  return hash;
}

bool equal_in_constant_time(ByteView a, ByteView b) noexcept {
  // The sizes are no secret: every hash is as long as the next.
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace hsmsigner::auth
