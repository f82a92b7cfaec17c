// Keys made by OpenSSL in this process: what is imported, and what judges the token's signatures and exports.
#pragma once

#include <memory>
#include <string>

#include "base/algorithm.h"
#include "base/private_key.h"

namespace hsm_contract {

// `bits` is for RSA, and any number; a curve is named by its algorithm.
std::shared_ptr<const hsmsigner::PrivateKey> software_rsa_key(unsigned bits);
std::shared_ptr<const hsmsigner::PrivateKey> software_ec_key(hsmsigner::KeyAlgorithm curve);

bool signature_is_good(const hsmsigner::PublicKey& key, hsmsigner::Digest digest, const hsmsigner::Bytes& value,
                       const hsmsigner::Bytes& signature);

// DER of SubjectPublicKeyInfo: of this key, and of the private key in these octets as the `openssl` command reads it
// (its own words if it does not).
std::string public_key_der(const hsmsigner::PublicKey& key);
std::string public_key_der(const hsmsigner::Secret& pkcs8);

}  // namespace hsm_contract
