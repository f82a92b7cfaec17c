// The tables of mechanisms: of the two key families (PKCS#11 2.40 mechanisms, sections 2.1 and 2.3), and those that
// move a key into the token and out of it ("AES" and "AES Key Wrap").
#pragma once

#include <p11-kit/pkcs11.h>

#include <cstddef>

#include "base/algorithm.h"

namespace hsmsigner::hsm {

struct FamilyMechanisms {
  KeyFamily family;
  CK_KEY_TYPE key_type;
  CK_MECHANISM_TYPE generate;
  CK_MECHANISM_TYPE sign;  // RSA: over a DigestInfo; EC: over the digest
};

inline constexpr FamilyMechanisms kFamilyMechanisms[] = {
    {KeyFamily::rsa, CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS},
    {KeyFamily::ec, CKK_EC, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA},
};

constexpr const FamilyMechanisms& mechanisms_of(KeyFamily family) noexcept {
  return kFamilyMechanisms[family == KeyFamily::rsa ? 0 : 1];
}

// A private key is wrapped as the DER of its PrivateKeyInfo (PKCS#11 2.40, "Wrapping/unwrapping private keys").
enum class WrappingForm {
  key_wrap_pad,  // RFC 5649, without a parameter
  cbc_pad,       // AES-CBC with the padding of PKCS#7 (RFC 5652 6.3), under a random initialisation vector
};

struct WrappingMechanism {
  CK_MECHANISM_TYPE type;
  WrappingForm form;
  const char* name;
};

// The better one first: RFC 5649 notices a wrong key and changed octets.
inline constexpr WrappingMechanism kWrappingMechanisms[] = {
    {CKM_AES_KEY_WRAP_PAD, WrappingForm::key_wrap_pad, "CKM_AES_KEY_WRAP_PAD"},
    {CKM_AES_CBC_PAD, WrappingForm::cbc_pad, "CKM_AES_CBC_PAD"},
};

inline constexpr std::size_t kWrappingKeySize = 32;  // AES-256
inline constexpr std::size_t kAesBlock = 16;

}  // namespace hsmsigner::hsm
