#include "hsm/quirks.h"

#include "hsm/module.h"

namespace hsmsigner::hsm {
namespace {

constexpr Quirks kQuirks[] = {
    {"SoftHSM project", "SoftHSM v2", true},
};
constexpr Quirks kNone{"", "", false};

}  // namespace

const Quirks& quirks_of(const CK_TOKEN_INFO& token) noexcept {
  const std::string manufacturer = ck_text(token.manufacturerID, sizeof token.manufacturerID);
  const std::string model = ck_text(token.model, sizeof token.model);
  for (const Quirks& row : kQuirks) {
    if (row.manufacturer == manufacturer && row.model == model) return row;
  }
  return kNone;
}

}  // namespace hsmsigner::hsm
