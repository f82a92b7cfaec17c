// The subcommands that tell what was measured.
#pragma once

#include <CLI/CLI.hpp>

namespace hsmsigner::bench {

// report and figures. `reached` becomes false when report finds that a figure which was required is not reached.
void add_report_commands(CLI::App& app, bool& reached);

}  // namespace hsmsigner::bench
