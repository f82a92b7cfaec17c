// Keys as this project sees them: what is asked of the token, and what the token then says of the key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/signer.h"
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

// What differs in a key from one that was generated as the request says, as a public sentence; nothing if all is right.
std::optional<std::string> why_not_as_asked(const KeyRequest& request, const KeyAttributes& attributes);

struct KeyDescription {
  KeyAttributes attributes;
  std::optional<RsaPublicKey> rsa;  // CKA_MODULUS and CKA_PUBLIC_EXPONENT
};

// A private key, as a walk came by it.
struct NamedKey {
  Bytes id;  // CKA_ID; several keys may have the same, or none
  std::string label;
};

// "hsm-signer <uuid>": the CKA_LABEL of every key that this program makes.
std::string key_label(const Uuid& id);

}  // namespace hsmsigner::hsm
