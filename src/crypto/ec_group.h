// OpenSSL's description of a curve, made once: making one takes longer than most of what is done with it. For the rooms
// that use OpenSSL, as openssl.h is.
#pragma once

#include <openssl/ec.h>

#include <memory>

#include "base/algorithm.h"
#include "base/signer.h"
#include "crypto/openssl.h"

namespace hsmsigner::crypto {

using EcPointPtr = std::unique_ptr<EC_POINT, OpensslFree<EC_POINT_free>>;

// Shared by all threads, which only read it; never freed. Throws Error{internal_error} for what is no curve.
const EC_GROUP* group_of(KeyAlgorithm curve);

// Not yet set. Throws as group_of().
EcPointPtr new_point(KeyAlgorithm curve);

// Whether the octets are an uncompressed point of the curve and not the one at infinity. That is all there is to check
// (SP 800-56A 5.6.2.3.3): the curves of the algorithm table have cofactor 1. Thread safe.
bool is_point_of_curve(const EcPublicKey& key);

}  // namespace hsmsigner::crypto
