// What a token says it can do: asked once, when it is opened.
#pragma once

#include <p11-kit/pkcs11.h>

#include <set>
#include <vector>

#include "base/algorithm.h"
#include "hsm/mechanisms.h"
#include "hsm/module.h"

namespace hsmsigner::hsm {

struct Capabilities {
  std::set<KeyAlgorithm> generates;  // and signs with
  std::vector<WrappingMechanism> wraps;
  std::vector<WrappingMechanism> unwraps;

  // Whether it signs with keys of this family and size, in bits for both families.
  bool signs(KeyFamily family, unsigned bits) const noexcept;

  struct Sizes {
    KeyFamily family;
    CK_ULONG smallest;
    CK_ULONG largest;
  };
  std::vector<Sizes> signing;
};

Capabilities capabilities_of(Module& module, CK_SLOT_ID slot);

}  // namespace hsmsigner::hsm
