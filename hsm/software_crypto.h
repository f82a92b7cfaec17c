// The little cryptography that is done in this process and not in the token: keys wrapped for their way into it, opened
// on their way out, and the proof that a signature is one. The one place of this room that knows OpenSSL.
#pragma once

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "base/signer.h"
#include "hsm/mechanisms.h"

namespace hsmsigner::hsm {

// `key` has kWrappingKeySize octets, `iv` kAesBlock or, for key_wrap_pad, none. Throw Error{internal_error}, open_key
// also for octets that were not wrapped under this key.
Bytes wrap_key(WrappingForm form, ByteView key, ByteView iv, const Secret& pkcs8);
Secret open_key(WrappingForm form, ByteView key, ByteView iv, ByteView wrapped);

// A PrivateKeyInfo (RFC 5208 5) as everybody writes it. Tokens leave out the public key of an EC key, and SoftHSM
// fills up with zeros to a block of the cipher. Throws Error{internal_error} for octets that are no RSA or EC key.
Secret canonical_pkcs8(const Secret& pkcs8);

// `signature` as Signer::sign() gives it.
bool verifies(const PublicKey& key, Digest digest, ByteView digest_value, ByteView signature);

}  // namespace hsmsigner::hsm
