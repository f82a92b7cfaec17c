// The command line of `hsm-signer report`.
#pragma once

#include "app/commands.h"

namespace hsmsigner::app {

void add_report(CLI::App& app, CommandResult& result);

}  // namespace hsmsigner::app
