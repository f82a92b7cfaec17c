#include "app/commands.h"

#include <exception>
#include <iostream>

#include "app/command_line.h"
#include "app/pin_source.h"
#include "base/error.h"
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

int verification_exit_code(const std::function<int()>& verify, int unreadable) {
  try {
    const int code = verify();
    std::cout.flush();
    if (std::cout) return code;
    std::cerr << "hsm-signer: standard output could not be written\n";
  } catch (const Error& error) {
    report(error);
  } catch (const std::exception& error) {
    std::cerr << "hsm-signer: unexpected: " << error.what() << '\n';
  }
  return unreadable;
}

Secret user_pin(const Settings& settings) {
  return read_pin(settings.pin_file, settings.pin_env, "User PIN of the token");
}

}  // namespace hsmsigner::app
