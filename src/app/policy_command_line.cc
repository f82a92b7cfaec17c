// The family `hsm-signer policy`.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "app/commands.h"
#include "app/policy_commands.h"

namespace hsmsigner::app {
namespace {

policy::PolicyOptions options_for(const CommandResult& result) {
  return result.config_file.empty() ? policy::PolicyOptions() : settings_for(result).policy;
}

}  // namespace

void add_policy(CLI::App& app, CommandResult& result) {
  CLI::App& policy = *app.add_subcommand("policy", "Policy profiles: what a container's certificates may be");
  policy.require_subcommand(1);
  policy.footer("Example:\n  hsm-signer policy list");

  CLI::App& list = *policy.add_subcommand("list", "List the profiles and the containers that have them");
  add_config_option(list, result, false);
  list.footer(
      "Without --config, the built-in ones.\n\n"
      "Examples:\n"
      "  hsm-signer policy list\n"
      "  hsm-signer policy list --config hsm-signer.toml");
  list.callback([&result] {
    const policy::PolicyOptions options = options_for(result);
    list_policies(policy::Policies::load(options), options, std::cout);
  });

  // CLI11 fills them in when it parses, and the callbacks run then.
  const auto argument = std::make_shared<std::string>();
  CLI::App& show = *policy.add_subcommand("show", "Show a profile as it is written (TOML)");
  add_config_option(show, result, false);
  show.add_option("NAME", *argument, "The profile")->required();
  show.footer(
      "Examples:\n"
      "  hsm-signer policy show cabf-tls\n"
      "  hsm-signer policy show payments --config hsm-signer.toml");
  show.callback(
      [&result, argument] { show_policy(policy::Policies::load(options_for(result)), *argument, std::cout); });

  CLI::App& check = *policy.add_subcommand("check", "Tell every fault of a file with a profile");
  check.add_option("FILE", *argument, "The profile (TOML)")->required();
  check.footer("Example:\n  hsm-signer policy check payments.toml");
  check.callback([argument] { check_policy(*argument, std::cout); });
}

}  // namespace hsmsigner::app
