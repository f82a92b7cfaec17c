// A private key in the clear, on its way into a token or out of it. Lives as short as can be; wiped when dropped.
#pragma once

#include <variant>

#include "base/secret.h"
#include "base/signer.h"

namespace hsmsigner {

// All big-endian and unsigned, without leading zero octets (RFC 8017 A.1.2; CKA_PRIVATE_EXPONENT and its like).
struct RsaPrivateKey {
  RsaPublicKey public_key;
  Secret private_exponent;
  Secret prime_1;
  Secret prime_2;
  Secret exponent_1;
  Secret exponent_2;
  Secret coefficient;
};

struct EcPrivateKey {
  EcPublicKey public_key;
  Secret value;  // big-endian, as long as the field (SEC 1 C.4; CKA_VALUE)
};

// One key in two forms: tokens take either the one, wrapped, or the other, as attributes.
struct PrivateKey {
  Secret pkcs8;  // DER of PrivateKeyInfo, unencrypted (RFC 5208 5)
  std::variant<RsaPrivateKey, EcPrivateKey> parts;

  PublicKey public_key() const {
    return std::visit([](const auto& key) { return PublicKey(key.public_key); }, parts);
  }
};

}  // namespace hsmsigner
