#include "hsm/tls_key.h"

#include "hsm/signing.h"
#include "hsm/token_impl.h"

namespace hsmsigner::hsm {

TlsKey::TlsKey(Token& token, const Uuid& id, PublicKey public_key)
    : token_(token.impl_), object_(token_->objects().of(id)), key_(token.key(id, std::move(public_key))) {}

Bytes TlsKey::sign(Digest digest, ByteView digest_value, Deadline deadline) const {
  return key_->sign(digest, digest_value, deadline);
}

Bytes TlsKey::transform(ByteView block, Deadline deadline) const {
  SigningInput input{CKM_RSA_X_509, Bytes(block.begin(), block.end()), block.size(), KeyFamily::rsa};
  return token_->pool().run(JobKind::quick, deadline, [object = object_, input = std::move(input)](Session& session) {
    return sign_in_token(session, *object, input);
  });
}

}  // namespace hsmsigner::hsm
