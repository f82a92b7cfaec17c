// Keys as this project sees them: what is asked of the token, and what the token then says of the key.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/uuid.h"

namespace hsmsigner::hsm {

struct KeyRequest {
  Uuid id;  // its 16 octets become CKA_ID; the CKA_LABEL is "hsm-signer <uuid>"
  KeyAlgorithm algorithm;
  // The export block of the HTTP contract, section 3: true makes CKA_EXTRACTABLE false, for ever.
  bool block_export = true;
};

// A key that comes from outside: never local, whatever is asked.
struct ImportRequest {
  Uuid id;
  bool block_export = true;  // as above, from here on
};

// Read from the token, never assumed (C_GetAttributeValue on the private key object).
struct KeyAttributes {
  Bytes id;  // CKA_ID
  std::string label;
  KeyFamily family = KeyFamily::rsa;
  unsigned bits = 0;  // RSA: of CKA_MODULUS; EC: of the curve in CKA_EC_PARAMS
  bool token = false;
  bool is_private = false;
  bool sensitive = false;
  bool always_sensitive = false;
  bool extractable = true;
  bool never_extractable = false;
  bool local = false;
  bool sign = false;
  bool decrypt = true;
  bool unwrap = true;
  bool derive = true;
};

class KeyObject;

// A private key object, as a walk over all of them came by it.
struct ListedKey {
  Bytes id;  // CKA_ID; several keys may have the same, or none
  std::string label;
  std::optional<KeyAttributes> attributes;  // none: the token does not tell them all, or it is neither RSA nor EC
  Bytes modulus;                            // RSA: CKA_MODULUS, big-endian, no leading zeros
  // While it lives, Token::key() of this id needs no search. Null where there are several of the id, or it is no UUID.
  std::shared_ptr<KeyObject> found;
};

}  // namespace hsmsigner::hsm
