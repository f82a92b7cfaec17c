// From a finished digest to the octets of an X.509 signatureValue.
#pragma once

#include <optional>

#include "base/algorithm.h"
#include "hsm/key_object.h"
#include "hsm/session.h"

namespace hsmsigner::hsm {

// What is sent to the token, made ready before a worker is taken.
struct SigningInput {
  CK_MECHANISM_TYPE mechanism;
  Bytes data;
  std::size_t signature_size;  // of the token's answer
  KeyFamily family;
};

// Throws Error{invalid_object} when the key cannot sign this digest.
SigningInput signing_input(const PublicKey& key, Digest digest, ByteView digest_value);

// Throws CkFailure, and Error{token_unavailable} if the key is not in the token. No operation stays active in the
// session: after a failure it is poisoned.
Bytes sign_in_token(Session& session, KeyObject& object, const SigningInput& input);

// r ‖ s, halves of equal length, to DER of ECDSA-Sig-Value (RFC 5480 appendix A; X.690 8.3).
Bytes ecdsa_signature_to_der(ByteView r_and_s);

}  // namespace hsmsigner::hsm
