// A key in the token for TLS, whose signatures OpenSSL pads itself. See docs/decisions/0007-tls-key-in-token.md.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/signer.h"
#include "base/uuid.h"
#include "hsm/token.h"

namespace hsmsigner::hsm {

class KeyObject;

// Goes through the session pool as every other signature does, and so survives the loss of the token as they do.
// Thread safe. Keeps the token open as long as it lives.
class TlsKey {
 public:
  TlsKey(Token& token, const Uuid& id, PublicKey public_key);

  // As Signer::sign().
  Bytes sign(Digest digest, ByteView digest_value, Deadline deadline) const;
  // RSA: RSASP1 (RFC 8017 5.2.1) of a block as long as the modulus, under CKM_RSA_X_509. Throws as Token's members do.
  Bytes transform(ByteView block, Deadline deadline) const;

 private:
  const std::shared_ptr<TokenImpl> token_;
  const std::shared_ptr<KeyObject> object_;
  const std::shared_ptr<TokenKey> key_;
};

}  // namespace hsmsigner::hsm
