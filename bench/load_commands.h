// The subcommands that measure: the module, the server, the disk.
#pragma once

#include <CLI/CLI.hpp>

namespace hsmsigner::bench {

// raw, http, authority, fill, disk and note. They run when the command line is parsed; a failure is a std::exception.
void add_load_commands(CLI::App& app);

}  // namespace hsmsigner::bench
