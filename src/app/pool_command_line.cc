// The family `hsm-signer pool`.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/commands.h"
#include "app/pool_commands.h"

namespace hsmsigner::app {

void add_pool(CLI::App& app, CommandResult& result) {
  CLI::App& pool = *app.add_subcommand("pool", "Key pairs made ahead of the certificates to come");
  pool.require_subcommand(1);
  pool.footer("Example:\n  hsm-signer pool show --config hsm-signer.toml");

  // CLI11 fills them in when it parses, and the callbacks run then.
  const auto options = std::make_shared<PoolFillOptions>();
  CLI::App& fill = *pool.add_subcommand("fill", "Make keys now; a server that runs on the same store takes them");
  add_config_option(fill, result);
  fill.add_option("--class", options->key_class, "Algorithm and size, such as P-256 or RSA-2048; /exportable after it")
      ->type_name("CLASS")
      ->required();
  fill.add_option("--count", options->count, "How many")
      ->type_name("NUMBER")
      ->required()
      ->check(CLI::Range(1, 1'000'000));
  fill.add_option("--token", options->token, "Label or serial number, where several tokens hold leaves")
      ->type_name("TEXT");
  fill.add_option("--parallel", options->parallel, "Keys made at one time; without it, up to 4")
      ->type_name("NUMBER")
      ->check(CLI::Range(1, 256));
  fill.footer(
      "Shows on standard error how far it has come. An interrupt (Ctrl-C) ends it in order.\n\n"
      "Example:\n"
      "  hsm-signer pool fill --config hsm-signer.toml --class P-256 --count 3000");
  fill.callback([&result, options] {
    const Settings settings = settings_for(result);
    const std::size_t place = token_to_fill(settings, options->token);
    fill_pool(settings, place, user_pin(settings, place), *options, std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1);
  });

  CLI::App& forget = *pool.add_subcommand("forget", "Take all keys out of the pool, after a backup was restored");
  add_config_option(forget, result);
  forget.footer(
      "For a store that was restored from a backup: keys that were unused then may have certificates now. The keys "
      "stay\n"
      "in the token. No server may run on the store.\n\n"
      "Example:\n"
      "  hsm-signer pool forget --config hsm-signer.toml");
  forget.callback([&result] { forget_pool(settings_for(result), std::cout); });

  CLI::App& show = *pool.add_subcommand("show", "Show the pool's marks and numbers; needs no PIN");
  add_config_option(show, result);
  show.footer("Example:\n  hsm-signer pool show --config hsm-signer.toml");
  show.callback([&result] { show_pool(settings_for(result), std::cout); });
}

}  // namespace hsmsigner::app
