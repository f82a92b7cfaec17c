// The unencrypted forms of a private key, out of DER. Private to this room.
#pragma once

#include <optional>
#include <string_view>

#include "base/algorithm.h"
#include "base/private_key.h"

namespace hsmsigner::pki {

// All of these check that the key's numbers belong together, and throw Error{invalid_object} with a sentence that
// begins with `field` for a key of another kind, a malformed or an inconsistent one.

// PrivateKeyInfo (RFC 5208 5) and OneAsymmetricKey (RFC 5958 2), whose attributes and public key are passed over.
PrivateKey decode_private_key_info(ByteView der, std::string_view field);
// RSAPrivateKey (RFC 8017 A.1.2), of two primes.
PrivateKey decode_rsa_private_key(ByteView der, std::string_view field);
// ECPrivateKey (RFC 5915 3). `curve` is what the AlgorithmIdentifier around it says; it must say itself where there is
// none.
PrivateKey decode_ec_private_key(ByteView der, std::optional<KeyAlgorithm> curve, std::string_view field);

// "<what>; taken are RSA keys of 512 to 16384 bits and EC keys on the curves P-256, P-384, P-521".
[[noreturn]] void refuse_kind(std::string_view field, std::string_view what);

}  // namespace hsmsigner::pki
