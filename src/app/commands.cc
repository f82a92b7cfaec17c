#include "app/commands.h"

#include <exception>
#include <iostream>

#include "app/command_line.h"
#include "app/open_tokens.h"
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

namespace {

Secret pin_of(const Settings& settings, std::size_t place) {
  const TokenSettings& token = settings.tokens[place];
  const hsm::TokenSelector& named = token.options.selector;
  std::string prompt = "User PIN of the token";
  if (settings.tokens.size() > 1) prompt += " " + (named.label.empty() ? named.serial : named.label);
  return read_pin(token.pin_file, token.pin_env, prompt);
}

}  // namespace

std::vector<Secret> user_pins(const Settings& settings) {
  std::vector<Secret> pins(settings.tokens.size());
  // Those from files last: with each of them a variable is wiped that may be another's.
  for (const bool from_file : {false, true}) {
    for (std::size_t place = 0; place < pins.size(); ++place) {
      if (settings.tokens[place].pin_file.empty() == from_file) continue;
      about_token(settings, place, [&] { pins[place] = pin_of(settings, place); });
    }
  }
  return pins;
}

Secret user_pin(const Settings& settings) { return user_pin(settings, settings.service_token()); }

Secret user_pin(const Settings& settings, std::size_t place) {
  Secret pin;
  about_token(settings, place, [&] { pin = pin_of(settings, place); });
  return pin;
}

}  // namespace hsmsigner::app
