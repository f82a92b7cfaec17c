// The subcommands that scripts/growth puts together.
#pragma once

#include <CLI/CLI.hpp>

namespace hsmsigner::bench {

// They run as callbacks while the command line is read, and throw what their work throws.
void add_growth_commands(CLI::App& app);

}  // namespace hsmsigner::bench
