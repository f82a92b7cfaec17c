// The public key of an elliptic curve key, from its signatures alone: tokens do not tell it of a private key object.
#pragma once

#include <optional>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/signer.h"

namespace hsmsigner::crypto {

struct SignedDigest {
  Bytes digest;     // finished
  Bytes signature;  // as Signer::sign gives it: DER of ECDSA-Sig-Value
};

// SEC 1 (version 2) 4.1.6. One signature is under two public keys, seldom four; of two signatures over different
// digests only the signer's is among those of both. Nothing when they are not of one key of this curve: what is
// returned verifies both. Throws Error{internal_error} for what is no curve. Thread safe.
std::optional<EcPublicKey> recover_ec_public_key(KeyAlgorithm curve, Digest digest, const SignedDigest& first,
                                                 const SignedDigest& second);

}  // namespace hsmsigner::crypto
