// The family `hsm-signer audit`, for the parser.
#pragma once

#include "app/commands.h"

namespace hsmsigner::app {

// `result` outlives `app`.
void add_audit(CLI::App& app, CommandResult& result);

}  // namespace hsmsigner::app
