#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/account_commands.h"
#include "app/audit_command_line.h"
#include "app/commands.h"
#include "app/evidence_command_line.h"
#include "app/pin_source.h"
#include "app/probe_command.h"
#include "app/process_hardening.h"
#include "app/report_command_line.h"
#include "app/serve.h"
#include "app/settings.h"
#include "app/token_commands.h"
#include "base/log.h"
#include "base/secret.h"
#include "policy/policies.h"

namespace hsmsigner::app {
namespace {

void complain(const std::string& sentence) { std::cerr << "hsm-signer: " << sentence << '\n'; }

// "--pin", "--so-pin=…", "--user_pin", "--PIN": options that nobody may have, as a command line is public.
bool is_pin_option(std::string_view argument) {
  if (!argument.starts_with("-")) return false;
  std::string name;
  for (const char c : argument.substr(0, argument.find('='))) {
    if (c != '-' && c != '_') name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name == "pin" || name == "sopin" || name == "userpin" || name == "tokenpin" || name == "password";
}

// Answers an attempt to give a PIN on the command line, without repeating it, and takes it out of /proc/…/cmdline.
bool refuse_pin_on_command_line(int argc, char** argv) {
  bool found = false;
  for (int i = 1; i < argc; ++i) {
    if (!is_pin_option(argv[i])) continue;
    found = true;
    if (char* const value = std::strchr(argv[i], '=')) {
      cleanse(value, std::strlen(value));
    } else if (i + 1 < argc && argv[i + 1][0] != '-') {
      cleanse(argv[i + 1], std::strlen(argv[i + 1]));
    }
  }
  if (!found) return false;
  complain("a PIN is never taken from the command line, which every user of this machine can read");
  complain(
      "give it in a file of mode 0600 (token.pin_file in the configuration, --pin-file for `token init`), in an "
      "environment variable (token.pin_env, --pin-env), or at the prompt");
  complain("it may be in your shell's history now: change it if it was a real one");
  return true;
}

// Everything the parser fills in.
struct Arguments : CommandResult {
  std::string module_path = default_settings().tokens.front().options.module_path;
  TokenInitOptions init;
  AccountCreateOptions account;
  int account_days = 0;  // 0: never
  bool defaults = false;
  bool quick = false;
};

void add_module_option(CLI::App& command, Arguments& arguments) {
  command.add_option("--module", arguments.module_path, "The PKCS#11 module")->type_name("PATH")->capture_default_str();
}

void add_serve(CLI::App& app, Arguments& arguments) {
  CLI::App& serve_command = *app.add_subcommand("serve", "Serve the HTTP interface until SIGINT or SIGTERM");
  add_config_option(serve_command, arguments);
  serve_command.footer(
      "Prints `ready http://ADDRESS:PORT` on standard output once it accepts requests; logs to standard error.\n\n"
      "Example:\n"
      "  hsm-signer serve --config /etc/hsm-signer/hsm-signer.toml");
  serve_command.callback([&] {
    const Settings settings = settings_for(arguments);
    arguments.exit_code = serve(settings, user_pins(settings));
  });
}

void add_token_init(CLI::App& token, Arguments& arguments) {
  CLI::App& init = *token.add_subcommand("init", "Initialise a token, which sets its label and both PINs");
  add_module_option(init, arguments);
  init.add_option("--label", arguments.init.label, "The label to give it, 1 to 32 octets")
      ->type_name("TEXT")
      ->required();
  init.add_option("--serial", arguments.init.serial, "The token; without it, the first that is not initialised")
      ->type_name("TEXT");
  init.add_flag("--erase", arguments.init.erase, "Allow it for an initialised token: DESTROYS EVERY KEY IN IT");
  init.add_option("--so-pin-file", arguments.init.so_pin.file, "File with the security officer's PIN, mode 0600")
      ->type_name("FILE");
  init.add_option("--so-pin-env", arguments.init.so_pin.env, "Environment variable with the security officer's PIN")
      ->type_name("NAME");
  init.add_option("--pin-file", arguments.init.user_pin.file, "File with the user PIN, mode 0600")->type_name("FILE");
  init.add_option("--pin-env", arguments.init.user_pin.env, "Environment variable with the user PIN")
      ->type_name("NAME");
  init.footer(
      "PINs that neither a file nor a variable gives are asked for on the terminal.\n\n"
      "Examples:\n"
      "  hsm-signer token init --label my-ca\n"
      "  hsm-signer token init --module /usr/lib/softhsm/libsofthsm2.so --label my-ca "
      "--so-pin-file so-pin --pin-file pin");
  init.callback([&] {
    arguments.init.module_path = arguments.module_path;
    init_token(arguments.init, std::cout);
  });
}

void add_token_probe(CLI::App& token, Arguments& arguments) {
  CLI::App& probe = *token.add_subcommand(
      "probe", "Try whether the token gives out keys that must not leave it, with throwaway keys");
  add_config_option(probe, arguments);
  probe.add_flag("--quick", arguments.quick, "One algorithm of each family, not every one that the service issues");
  probe.footer(
      "Exit code: 0 the token keeps its keys, 1 it does not, 2 inconclusive. A failure to open the token is 1 or 2 "
      "too, without a conclusion. After SIGINT or SIGTERM it destroys its keys and ends with 130 or 143; a second one "
      "ends it at once.\n\n"
      "Example:\n"
      "  hsm-signer token probe --config /etc/hsm-signer/hsm-signer.toml");
  probe.callback([&] {
    const Settings settings = settings_for(arguments);
    arguments.exit_code = probe_token(settings, user_pins(settings), arguments.quick, std::cout, std::cerr);
  });
}

void add_token(CLI::App& app, Arguments& arguments) {
  CLI::App& token = *app.add_subcommand("token", "Initialise, list, show and probe PKCS#11 tokens");
  token.require_subcommand(1);
  token.footer(
      "Example:\n"
      "  hsm-signer token list");
  add_token_init(token, arguments);
  add_token_probe(token, arguments);

  CLI::App& list = *token.add_subcommand("list", "List the tokens of a module; needs no PIN");
  add_module_option(list, arguments);
  list.footer(
      "Example:\n"
      "  hsm-signer token list --module /usr/lib/softhsm/libsofthsm2.so");
  list.callback([&] { list_tokens(arguments.module_path, std::cout); });

  CLI::App& show = *token.add_subcommand(
      "show", "Log in to the configured token, or each of several, and say what it is and can do");
  add_config_option(show, arguments);
  show.footer(
      "Example:\n"
      "  hsm-signer token show --config /etc/hsm-signer/hsm-signer.toml");
  show.callback([&] {
    const Settings settings = settings_for(arguments);
    show_token(settings, user_pins(settings), std::cout);
  });
}

void add_account_create(CLI::App& account, Arguments& arguments) {
  CLI::App& create = *account.add_subcommand("create", "Make an account and hand out its secret, once");
  add_config_option(create, arguments);
  create.add_option("--client-id", arguments.account.client_id, "Its client id; without it, a UUID")->type_name("TEXT");
  create.add_option("--description", arguments.account.description, "For people")->type_name("TEXT");
  create
      .add_option("--grant", arguments.account.grants,
                  "ROLE=CONTAINER, as often as needed. Roles: administrator, issuer, exporter, signer, auditor, "
                  "reader, monitor. Containers: folder:NAME, snippet:NAME, device:NAME, * for all")
      ->type_name("ROLE=CONTAINER")
      ->required();
  create.add_option("--expires-in-days", arguments.account_days, "When it ends; without it, never")
      ->type_name("DAYS")
      ->check(CLI::Range(1, 36500));
  create
      .add_option("--certificate-fingerprint", arguments.account.certificate_fingerprint,
                  "SHA-256 fingerprint of a TLS client certificate that may be used instead of the secret")
      ->type_name("AA:BB:...");
  create
      .add_option("--certificate-subject", arguments.account.certificate_subject,
                  "Subject of such certificates, /C=../CN=..")
      ->type_name("TEXT");
  create
      .add_option("--secret-file", arguments.account.secret_file, "Write the secret there (mode 0600), not to stdout")
      ->type_name("FILE");
  create.add_flag("--own", arguments.account.own, "The account is yours: its secret need not be rotated first");
  create.footer(
      "Examples:\n"
      "  hsm-signer account create --config hsm-signer.toml --client-id payments --grant issuer=folder:Payments\n"
      "  hsm-signer account create --config hsm-signer.toml --client-id me --own --grant 'administrator=*' "
      "--secret-file me.json");
  create.callback([&] {
    const Settings settings = settings_for(arguments);
    if (arguments.account_days > 0) arguments.account.expires_in_days = arguments.account_days;
    create_account(settings, user_pin(settings), arguments.account, std::cout);
  });
}

// A command that is about one account and needs no token.
void add_account_command(CLI::App& account, Arguments& arguments, const std::string& name, const std::string& what,
                         void (*run)(const Settings&, const std::string&, std::ostream&)) {
  CLI::App& command = *account.add_subcommand(name, what);
  add_config_option(command, arguments);
  command.add_option("CLIENT_ID", arguments.account.client_id, "The account")->required();
  command.footer("Example:\n  hsm-signer account " + name + " --config hsm-signer.toml payments");
  command.callback([&arguments, run] { run(settings_for(arguments), arguments.account.client_id, std::cout); });
}

void add_account(CLI::App& app, Arguments& arguments) {
  CLI::App& account = *app.add_subcommand("account", "Make and manage the accounts that may call the server");
  account.require_subcommand(1);
  account.footer("Example:\n  hsm-signer account list --config hsm-signer.toml");
  add_account_create(account, arguments);

  CLI::App& list = *account.add_subcommand("list", "List the accounts");
  add_config_option(list, arguments);
  list.footer("Example:\n  hsm-signer account list --config hsm-signer.toml");
  list.callback([&] { list_accounts(settings_for(arguments), std::cout); });

  add_account_command(account, arguments, "show", "Show one account", show_account);
  add_account_command(account, arguments, "disable", "Disable an account; its access tokens are void at once",
                      disable_account);
  add_account_command(account, arguments, "enable", "Enable it again", enable_account);

  CLI::App& rotate = *account.add_subcommand("rotate", "Hand out a new secret; the old one ends at once");
  add_config_option(rotate, arguments);
  rotate.add_option("CLIENT_ID", arguments.account.client_id, "The account")->required();
  rotate
      .add_option("--secret-file", arguments.account.secret_file, "Write the secret there (mode 0600), not to stdout")
      ->type_name("FILE");
  rotate.footer(
      "For a secret that was lost or has leaked: holders rotate theirs with POST /accounts/self:rotate.\n\n"
      "Example:\n  hsm-signer account rotate --config hsm-signer.toml payments");
  rotate.callback([&] {
    const Settings settings = settings_for(arguments);
    rotate_account(settings, user_pin(settings), arguments.account.client_id, arguments.account.secret_file, std::cout);
  });
}

void add_access_token_key(CLI::App& app, Arguments& arguments) {
  CLI::App& key = *app.add_subcommand("access-token-key", "The key in the token that signs access tokens");
  key.require_subcommand(1);
  key.footer("Example:\n  hsm-signer access-token-key rotate --config hsm-signer.toml");

  CLI::App& rotate = *key.add_subcommand(
      "rotate", "Make a new key; tokens of the one before are good until they expire, then it is destroyed");
  add_config_option(rotate, arguments);
  rotate.footer("Example:\n  hsm-signer access-token-key rotate --config hsm-signer.toml");
  rotate.callback([&] {
    const Settings settings = settings_for(arguments);
    rotate_access_token_key(settings, user_pin(settings), std::cout);
  });

  CLI::App& list = *key.add_subcommand("list", "List the keys; needs no PIN");
  add_config_option(list, arguments);
  list.footer("Example:\n  hsm-signer access-token-key list --config hsm-signer.toml");
  list.callback([&] { list_access_token_keys(settings_for(arguments), std::cout); });
}

void add_config(CLI::App& app, Arguments& arguments) {
  CLI::App& config = *app.add_subcommand("config", "Check and show the configuration");
  config.require_subcommand(1);
  config.footer(
      "Example:\n"
      "  hsm-signer config show --defaults");

  CLI::App& check = *config.add_subcommand("check", "Tell every fault of a configuration file; touches no token");
  add_config_option(check, arguments);
  check.footer(
      "Example:\n"
      "  hsm-signer config check --config hsm-signer.toml");
  check.callback([&] {
    policy::Policies::load(load_settings(arguments.config_file).policy);
    std::cout << arguments.config_file << ": ok\n";
  });

  CLI::App& show = *config.add_subcommand("show", "Show the effective settings, or every setting with its default");
  add_config_option(show, arguments, false);
  show.add_flag("--defaults", arguments.defaults, "A commented sample with every setting and its default");
  show.footer(
      "Examples:\n"
      "  hsm-signer config show --config hsm-signer.toml\n"
      "  hsm-signer config show --defaults > hsm-signer.toml");
  show.callback([&] {
    if (arguments.defaults == !arguments.config_file.empty()) {
      throw CLI::ValidationError("config show", "give either --config FILE or --defaults");
    }
    std::cout << (arguments.defaults ? sample_settings() : show_settings(load_settings(arguments.config_file)));
  });
}

void collect_unexpected(const CLI::App& app, std::vector<std::string>& unexpected) {
  for (const std::string& argument : app.remaining(false)) unexpected.push_back(argument);
  for (const CLI::App* const command : app.get_subcommands()) collect_unexpected(*command, unexpected);
}

// One sentence on what the parser could not take. Neither values nor stray arguments are repeated, as they might be
// PINs; a word where a command is expected is.
std::string usage_fault(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  std::vector<std::string> unexpected;
  collect_unexpected(app, unexpected);
  for (const std::string& argument : unexpected) {
    if (argument.starts_with("--")) return "unknown option " + argument.substr(0, argument.find('='));
    if (argument.starts_with("-")) return "unknown option " + argument.substr(0, 2);
  }
  for (const std::string& argument : unexpected) {
    if (argc > 1 && argument == argv[1]) return "unknown command " + argument;
  }
  if (!unexpected.empty()) return "an argument that nothing here takes";
  const int code = error.get_exit_code();
  for (const CLI::ExitCodes telling :
       {CLI::ExitCodes::RequiredError, CLI::ExitCodes::ArgumentMismatch, CLI::ExitCodes::ValidationError}) {
    if (code == static_cast<int>(telling)) return error.what();
  }
  return "this command line is not understood";
}

}  // namespace

int run(int argc, char** argv) {
  harden_process();
  if (refuse_pin_on_command_line(argc, argv)) return kExitUsage;

  CLI::App app("hsm-signer: certificates whose private keys are born in a PKCS#11 token and never leave it",
               "hsm-signer");
  app.set_version_flag("--version", "hsm-signer " HSM_SIGNER_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  hsm-signer config show --defaults > hsm-signer.toml\n"
      "  hsm-signer token init --label my-ca\n"
      "  hsm-signer serve --config hsm-signer.toml\n\n"
      "`hsm-signer COMMAND --help` explains a command.");
  Arguments arguments;
  add_serve(app, arguments);
  add_token(app, arguments);
  add_account(app, arguments);
  add_access_token_key(app, arguments);
  add_audit(app, arguments);
  add_evidence(app, arguments);
  add_report(app, arguments);
  add_config(app, arguments);
  add_policy(app, arguments);
  add_pool(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    complain(usage_fault(app, error, argc, argv));
    complain("`hsm-signer --help` shows the commands");
    return kExitUsage;
  }
  std::cout.flush();
  if (!std::cout) {
    complain("standard output could not be written");
    return arguments.exit_code != 0 ? arguments.exit_code : kExitFailure;
  }
  return arguments.exit_code;
}

int report(const Error& error) {
  const std::vector<std::string>& details = error.details();
  if (details.empty()) complain(std::string(to_string(error.kind())));
  for (const std::string& detail : details) complain(detail);
  if (!error.cause().empty()) complain("cause: " + error.cause());
  if (!error.help().empty()) complain("help: " + error.help());
  return error.kind() == ErrorKind::invalid_object ? kExitUsage : kExitFailure;
}

}  // namespace hsmsigner::app
