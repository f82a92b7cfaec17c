#include "app/commands.h"

#include "app/pin_source.h"
#include "base/log.h"

namespace hsmsigner::app {

void add_config_option(CLI::App& command, CommandResult& result, bool required) {
  command.add_option("-c,--config", result.config_file, "The configuration file (TOML)")
      ->type_name("FILE")
      ->required(required);
}

Settings settings_for(const CommandResult& result) {
  Settings settings = load_settings(result.config_file);
  log::configure(settings.log_level, settings.log_format);
  return settings;
}

Secret user_pin(const Settings& settings) {
  return read_pin(settings.pin_file, settings.pin_env, "User PIN of the token");
}

}  // namespace hsmsigner::app
