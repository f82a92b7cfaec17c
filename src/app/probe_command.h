// `hsm-signer token probe`: every attempt at a token's keys, as a table.
#pragma once

#include <iosfwd>
#include <vector>

#include "app/settings.h"
#include "base/secret.h"

namespace hsmsigner::app {

inline constexpr int kExitKeepsKeys = 0;
inline constexpr int kExitGivesKeysOut = 1;
inline constexpr int kExitInconclusive = 2;

// Probes every algorithm that the service issues and the token generates; `quick`: one of each family. The table and
// the conclusion go to `out`, the progress to `progress`. Returns the exit code, of several tokens that of the worst:
// one that gives keys out, else one that is inconclusive; 130 or 143 after SIGINT or SIGTERM, when its keys are
// destroyed. Throws Error when the token cannot be opened.
int probe_token(const Settings& settings, std::vector<Secret> pins, bool quick, std::ostream& out,
                std::ostream& progress);

}  // namespace hsmsigner::app
