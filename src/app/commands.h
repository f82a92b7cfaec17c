// What the families of commands share; they and command_line.cc are the only files that know the parser. A family has a
// file of its own, <family>_command_line.cc, and a function below; what its commands do stands in <family>_commands.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "app/settings.h"
#include "base/secret.h"

namespace hsmsigner::app {

// What every command may have to say.
struct CommandResult {
  std::string config_file;
  int exit_code = 0;  // CLI11's callbacks return nothing
};

// `-c, --config FILE`, which goes to `result.config_file`.
void add_config_option(CLI::App& command, CommandResult& result, bool required = true);

void add_policy(CLI::App& app, CommandResult& result);  // policy_command_line.cc
void add_pool(CLI::App& app, CommandResult& result);    // pool_command_line.cc

// Reads the file and sets the log up as it says. Throws as load_settings().
Settings settings_for(const CommandResult& result);
// What a command that checks something ends with: what `verify` returns; whatever goes wrong is told, and is
// `unreadable`, so that the other codes keep their meaning.
int verification_exit_code(const std::function<int()>& verify, int unreadable);

// Of each token, from where the settings say, in their order.
std::vector<Secret> user_pins(const Settings& settings);
// Of the one that holds the service's own keys.
Secret user_pin(const Settings& settings);
// Of that one.
Secret user_pin(const Settings& settings, std::size_t place);

}  // namespace hsmsigner::app
