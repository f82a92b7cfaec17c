// hsm-signer-bench: the measurements that scripts/bench and scripts/growth put together. Each subcommand is one process
// with one task, so that nothing a measurement left in memory speeds up or slows down the next.
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "growth_commands.h"
#include "load_commands.h"
#include "report_commands.h"

namespace hsmsigner::bench {
namespace {

int run(int argc, char** argv) {
  CLI::App app{"The measurements that scripts/bench and scripts/growth put together", "hsm-signer-bench"};
  app.require_subcommand(1);
  bool reached = true;
  add_load_commands(app);
  add_report_commands(app, reached);
  add_growth_commands(app);
  CLI11_PARSE(app, argc, argv);
  return reached ? 0 : 3;
}

}  // namespace
}  // namespace hsmsigner::bench

int main(int argc, char** argv) {
  try {
    return hsmsigner::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "hsm-signer-bench: " << error.what() << "\n";
    return 1;
  }
}
