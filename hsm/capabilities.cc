#include "hsm/capabilities.h"

#include <algorithm>
#include <optional>

namespace hsmsigner::hsm {
namespace {

std::optional<CK_MECHANISM_INFO> offered(CK_FUNCTION_LIST& ck, CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism,
                                         CK_FLAGS flag) {
  CK_MECHANISM_INFO told{};
  if (ck.C_GetMechanismInfo(slot, mechanism, &told) != CKR_OK || (told.flags & flag) == 0) return std::nullopt;
  return told;
}

// Key sizes are bits for both families (PKCS#11 2.40 mechanisms, sections 2.1 and 2.3).
bool within(const std::optional<CK_MECHANISM_INFO>& told, unsigned bits) {
  return told && told->ulMinKeySize <= bits && bits <= told->ulMaxKeySize;
}

}  // namespace

bool Capabilities::signs(KeyFamily family, unsigned bits) const noexcept {
  return std::ranges::any_of(signing, [&](const Sizes& sizes) {
    return sizes.family == family && sizes.smallest <= bits && bits <= sizes.largest;
  });
}

Capabilities capabilities_of(Module& module, CK_SLOT_ID slot) {
  const Module::Use use(module);
  CK_FUNCTION_LIST& ck = module.functions();
  Capabilities token;
  for (const FamilyMechanisms& row : kFamilyMechanisms) {
    if (const auto told = offered(ck, slot, row.sign, CKF_SIGN)) {
      token.signing.push_back({row.family, told->ulMinKeySize, told->ulMaxKeySize});
    }
  }
  for (const KeyAlgorithmInfo& row : key_algorithms()) {
    if (token.signs(row.family, row.bits) &&
        within(offered(ck, slot, mechanisms_of(row.family).generate, CKF_GENERATE_KEY_PAIR), row.bits)) {
      token.generates.insert(row.algorithm);
    }
  }
  // Their sizes are octets by the standard and bits in some tokens: all take AES-256.
  for (const WrappingMechanism& row : kWrappingMechanisms) {
    if (offered(ck, slot, row.type, CKF_WRAP)) token.wraps.push_back(row);
    if (offered(ck, slot, row.type, CKF_UNWRAP)) token.unwraps.push_back(row);
  }
  return token;
}

}  // namespace hsmsigner::hsm
