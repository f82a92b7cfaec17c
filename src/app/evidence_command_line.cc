#include "app/evidence_command_line.h"

#include <iostream>
#include <memory>

#include "app/command_line.h"
#include "app/evidence_commands.h"
#include "base/error.h"

namespace hsmsigner::app {
namespace {

constexpr int kExitNotGood = 1;
constexpr int kExitUnreadable = 2;

int verify_exit_code(const EvidenceVerifyOptions& options) {
  return verification_exit_code([&] { return verify_evidence(options, std::cout) ? 0 : kExitNotGood; },
                                kExitUnreadable);
}

}  // namespace

void add_evidence(CLI::App& app, CommandResult& result) {
  CLI::App& evidence = *app.add_subcommand("evidence", "Evidence on keys, as GET /certificates/{id}/evidence gives it");
  evidence.require_subcommand(1);
  evidence.footer("Example:\n  hsm-signer evidence verify evidence.jws --key audit-key.pem");

  CLI::App& verify = *evidence.add_subcommand("verify", "Check evidence without trusting the service; needs no token");
  const auto options = std::make_shared<EvidenceVerifyOptions>();
  verify.add_option("FILE", options->evidence_file, "The evidence")->required();
  verify.add_option("--key", options->key_file, "The audit key's public half (PEM)")->type_name("FILE")->required();
  verify.add_option("--nonce", options->nonce, "The nonce that was asked for it with")->type_name("TEXT");
  verify.add_option("--certificate", options->certificate_file, "The certificate (PEM) that it must be for")
      ->type_name("FILE");
  verify.footer(
      "Exit code: 0 good, 1 not good, 2 unreadable.\n\n"
      "Example:\n"
      "  hsm-signer evidence verify evidence.jws --key audit-key.pem --nonce 8b0d2a51c7f34e6e "
      "--certificate certificate.pem");
  verify.callback([&result, options] { result.exit_code = verify_exit_code(*options); });
}

}  // namespace hsmsigner::app
