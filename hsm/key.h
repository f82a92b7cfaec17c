// Keys as this project sees them: what is asked of the token, and what the token then says of the key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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
  // CKA_KEY_GEN_MECHANISM: a CKM_ number. Nothing when the token does not tell, or says CK_UNAVAILABLE_INFORMATION, as
  // of a key that came from outside.
  std::optional<std::uint64_t> generation_mechanism;
};

// "CKM_EC_KEY_PAIR_GEN"; "" for a number that makes no key pair of a kind that is used here.
std::string_view generation_mechanism_name(std::uint64_t mechanism) noexcept;

// What the token shows of the key with one id, all of it of the same object in one session.
struct KeyExamination {
  std::size_t private_keys = 0;             // objects of this id
  std::optional<KeyAttributes> attributes;  // if there is exactly one
  // As Signer::sign() gives it, not verified; nothing if there is not exactly one key, or it is of another kind or size
  // than the public key, or says that it does not sign.
  std::optional<Bytes> signature;
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
