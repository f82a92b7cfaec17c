// The family `hsm-signer evidence`, for the parser.
#pragma once

#include "app/commands.h"

namespace hsmsigner::app {

// `result` outlives `app`.
void add_evidence(CLI::App& app, CommandResult& result);

}  // namespace hsmsigner::app
