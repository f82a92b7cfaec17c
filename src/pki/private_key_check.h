// Whether the numbers of a private key belong together. Private to this room.
#pragma once

#include "base/algorithm.h"
#include "base/private_key.h"

namespace hsmsigner::pki {

// RFC 8017 3.2: n = p·q and each exponent the inverse of the others, and one random number through the key and back,
// which is one round of Fermat's test of each factor: a composite one that came about by a mistake is found, one that
// was chosen to pass (a Carmichael number) is not. Instead of OpenSSL's check, whose proof of primality takes minutes
// for the largest keys.
bool is_consistent(const RsaPrivateKey& key);

// SEC 1 3.2.1: the point of a private value; empty unless the value is in [1, n-1].
Bytes public_point(KeyAlgorithm curve, ByteView value);
// A point in any form that SEC 1 2.3.4 has, uncompressed; empty when it is none.
Bytes uncompressed_point(KeyAlgorithm curve, ByteView point);

}  // namespace hsmsigner::pki
