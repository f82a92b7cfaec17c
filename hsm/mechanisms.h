// The one table of what PKCS#11 calls the two key families (PKCS#11 2.40 mechanisms, sections 2.1 and 2.3).
#pragma once

#include <p11-kit/pkcs11.h>

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

}  // namespace hsmsigner::hsm
