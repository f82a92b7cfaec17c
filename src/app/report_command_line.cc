#include "app/report_command_line.h"

#include <iostream>
#include <memory>

#include "app/command_line.h"
#include "app/report_commands.h"
#include "base/error.h"

namespace hsmsigner::app {
namespace {

int verify_exit_code(const ReportVerifyOptions& options) {
  return verification_exit_code([&] { return verify_report(options, std::cout); }, kExitReportUnreadable);
}

CLI::App& add_verify(CLI::App& report, CommandResult& result) {
  CLI::App& verify = *report.add_subcommand("verify", "Check a report's signature; needs neither token nor server");
  const auto options = std::make_shared<ReportVerifyOptions>();
  verify.add_option("FILE", options->file, "The report")->required();
  verify.add_option("--key", options->key, "The public key (PEM) that signs reports: `hsm-signer audit key`")
      ->type_name("FILE")
      ->required();
  verify.add_option("--signature", options->signature, "Its signature; without it, FILE.jws")->type_name("FILE");
  verify.footer(
      "Exit code: 0 good, 1 not what was signed, 2 unreadable.\n\n"
      "Example:\n"
      "  hsm-signer report verify report.html --key audit-key.pem");
  verify.callback([&result, options] { result.exit_code = verify_exit_code(*options); });
  return verify;
}

}  // namespace

void add_report(CLI::App& app, CommandResult& result) {
  struct Options : ReportOptions {
    std::string format_name = "html";
    bool no_challenge = false, no_probe = false;
  };
  CLI::App& command = *app.add_subcommand("report", "Make the compliance report, signed by the audit key");
  const auto options = std::make_shared<Options>();
  add_config_option(command, result, false);
  command.add_option("--format", options->format_name, "html for people, json for programs")
      ->check(CLI::IsMember({"html", "json"}))
      ->capture_default_str();
  command
      .add_option("--output", options->output,
                  "Where to write it (mode 0600; must not exist); its signature goes to FILE.jws")
      ->type_name("FILE");
  command.add_flag("--no-challenge", options->no_challenge, "Do not have every key sign; the report says so");
  command.add_flag("--no-probe", options->no_probe, "Do not try to take throwaway keys out of the token; likewise");
  command.footer(
      "A server may run meanwhile. The journal tells of each report. After SIGINT or SIGTERM nothing is left, and it "
      "ends with 130 or 143. docs/COMPLIANCE.md explains the controls.\n\n"
      "Examples:\n"
      "  hsm-signer report --config hsm-signer.toml --output report.html\n"
      "  hsm-signer report --config hsm-signer.toml --format json --output report.json --no-challenge\n"
      "  hsm-signer report verify report.html --key audit-key.pem");
  CLI::App& verify = add_verify(command, result);
  command.callback([&command, &verify, &result, options] {
    if (command.got_subcommand(&verify)) return;
    if (result.config_file.empty()) throw CLI::RequiredError("--config");
    if (options->output.empty()) throw CLI::RequiredError("--output");
    options->format = *report::format_from(options->format_name);
    options->challenge = !options->no_challenge;
    options->probe = !options->no_probe;
    const Settings settings = settings_for(result);
    result.exit_code = make_report(settings, user_pins(settings), *options, std::cout, std::cerr);
  });
}

}  // namespace hsmsigner::app
