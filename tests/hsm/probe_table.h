// The table of docs/TOKEN-PROBE.md: `scripts/probe-table` has the tests of the probe write their findings down.
#pragma once

#include "hsm/probe.h"
#include "hsm/token.h"

namespace hsm_contract {

// Appends one row for each key to the file that HSM_SIGNER_PROBE_TABLE names; nothing when it is not set.
void write_rows(const hsmsigner::hsm::TokenInfo& token, const hsmsigner::hsm::ProbeResult& result);

}  // namespace hsm_contract
