// Verifying a signature with a public key alone.
#pragma once

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/signer.h"

namespace hsmsigner::crypto {

// Whether `signature`, in the form that Signer::sign gives, is one of this finished digest under `key`. False for
// anything that is not, a malformed one included. Thread safe.
bool verifies(const PublicKey& key, Digest digest, ByteView digest_value, ByteView signature);

}  // namespace hsmsigner::crypto
