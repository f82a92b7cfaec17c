#include "app/audit_command_line.h"

#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "app/audit_commands.h"
#include "app/command_line.h"
#include "base/error.h"

namespace hsmsigner::app {
namespace {

// Whatever goes wrong, 1 is kept for a journal that was tampered with.
int verify_exit_code(const CommandResult& result, AuditVerifyOptions options) {
  return verification_exit_code(
      [&] {
        if (!result.config_file.empty()) options.database = settings_for(result).store.path;
        return verify_journal(options, std::cout);
      },
      kExitUnreadable);
}

void add_verify(CLI::App& audit, CommandResult& result) {
  CLI::App& verify = *audit.add_subcommand("verify", "Check a journal without trusting the service; needs no token");
  const auto options = std::make_shared<AuditVerifyOptions>();
  CLI::Option* const config =
      verify.add_option("-c,--config", result.config_file, "The configuration (TOML) that names the database")
          ->type_name("FILE");
  CLI::Option* const database =
      verify.add_option("--database", options->database, "The database itself, or a copy of it")->type_name("FILE");
  config->excludes(database);
  verify
      .add_option("--from-file", options->files,
                  "An export or archive; several are taken in their order as one journal, which the database goes on")
      ->type_name("FILE")
      ->allow_extra_args(false);
  verify.add_option("--key", options->keys, "A public key (PEM) that may sign checkpoints; given once, no other may")
      ->type_name("FILE")
      ->allow_extra_args(false);
  verify
      .add_option("--checkpoint", options->checkpoints,
                  "Checkpoints that were kept elsewhere, one a line: finds a cut end and an older database")
      ->type_name("FILE")
      ->allow_extra_args(false);
  verify.add_flag("--part", options->part,
                  "The events before the first one here were archived, and are checked elsewhere");
  verify.footer(
      "Exit code: 0 intact, 1 tampered, 2 unreadable or not everything could be judged.\n\n"
      "Examples:\n"
      "  hsm-signer audit verify --config hsm-signer.toml --key audit.pem --checkpoint kept.jws\n"
      "  hsm-signer audit verify --from-file 2025.jsonl --from-file 2026.jsonl --config hsm-signer.toml\n"
      "  hsm-signer audit verify --from-file journal.jsonl");
  verify.callback([&result, options] {
    if (result.config_file.empty() && options->database.empty() && options->files.empty()) {
      throw CLI::ValidationError("audit verify", "give --config FILE, --database FILE or --from-file FILE");
    }
    result.exit_code = verify_exit_code(result, *options);
  });
}

void add_export(CLI::App& audit, CommandResult& result) {
  struct Options {
    std::string output;
    std::uint64_t after = 0;
  };
  CLI::App& command = *audit.add_subcommand("export", "Write the journal as JSON Lines, for others to check");
  const auto options = std::make_shared<Options>();
  add_config_option(command, result);
  command.add_option("--output", options->output, "Write there (mode 0600; must not exist), not to stdout")
      ->type_name("FILE");
  CLI::Option* const after =
      command.add_option("--after", options->after, "Only the events after this one")->type_name("SEQUENCE");
  command.footer(
      "Examples:\n"
      "  hsm-signer audit export --config hsm-signer.toml --output journal.jsonl\n"
      "  hsm-signer audit export --config hsm-signer.toml --after 1200 > since-1200.jsonl");
  command.callback([&result, options, after] {
    export_journal(settings_for(result), options->output,
                   after->count() > 0 ? std::optional(options->after) : std::nullopt, std::cout);
  });
}

void add_checkpoint(CLI::App& audit, CommandResult& result) {
  CLI::App& command = *audit.add_subcommand("checkpoint", "Print the last checkpoint, to be kept elsewhere");
  add_config_option(command, result);
  command.footer(
      "What is kept where nobody who runs this service can change it shows later whether the journal was cut or "
      "replaced.\n\n"
      "Example:\n"
      "  hsm-signer audit checkpoint --config hsm-signer.toml >> kept.jws");
  command.callback([&result] { show_last_checkpoint(settings_for(result), std::cout); });
}

void add_key(CLI::App& audit, CommandResult& result) {
  CLI::App& command = *audit.add_subcommand("key", "Print the public key that verifies checkpoints");
  const auto kid = std::make_shared<std::string>();
  add_config_option(command, result);
  command.add_option("--kid", *kid, "An older key, by its id; without it, the one that signs now")->type_name("ID");
  command.footer(
      "The key is the database's word: its SHA-256, on standard error, is to be compared with what was noted.\n\n"
      "Example:\n  hsm-signer audit key --config hsm-signer.toml > audit.pem");
  command.callback([&result, kid] { show_audit_key(settings_for(result), *kid, std::cout, std::cerr); });
}

UnixMillis time_of(const std::string& text) {
  if (const auto time = parse_date_time(text.size() == 10 ? text + "T00:00:00Z" : text)) return *time;
  throw CLI::ValidationError("--before", "give a date, 2026-01-31, or a time in UTC, 2026-01-31T12:00:00Z");
}

void add_archive(CLI::App& audit, CommandResult& result) {
  struct Options {
    std::string before, output;
  };
  CLI::App& command = *audit.add_subcommand("archive", "Move older events into a file, which an event tells of");
  const auto options = std::make_shared<Options>();
  add_config_option(command, result);
  command.add_option("--before", options->before, "Events up to the last checkpoint before this date or time, in UTC")
      ->type_name("DATE")
      ->required();
  command.add_option("--output", options->output, "The archive (mode 0600; must not exist)")
      ->type_name("FILE")
      ->required();
  command.footer(
      "The archive is verified before anything is removed. A server may run meanwhile.\n\n"
      "Example:\n"
      "  hsm-signer audit archive --config hsm-signer.toml --before 2026-01-01 --output journal-2025.jsonl");
  command.callback([&result, options] {
    const UnixMillis before = time_of(options->before);
    archive_journal(settings_for(result), before, options->output, std::cout);
  });
}

}  // namespace

void add_audit(CLI::App& app, CommandResult& result) {
  CLI::App& audit = *app.add_subcommand("audit", "Verify, export and archive the journal");
  audit.require_subcommand(1);
  audit.footer("Example:\n  hsm-signer audit verify --config hsm-signer.toml");
  add_verify(audit, result);
  add_export(audit, result);
  add_checkpoint(audit, result);
  add_key(audit, result);
  add_archive(audit, result);
}

}  // namespace hsmsigner::app
