// The command line through the binary itself.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/command.h"
#include "support/temporary_directory.h"

namespace {

using test_support::CommandResult;
using test_support::TemporaryDirectory;

CommandResult hsm_signer(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), HSM_SIGNER_BINARY);
  return test_support::run_command(arguments);
}

bool holds(const CommandResult& result, const std::string& part) { return result.out.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the help of every command has an example") {
  for (std::vector<std::string> command : std::vector<std::vector<std::string>>{{},
                                                                                {"serve"},
                                                                                {"token"},
                                                                                {"token", "init"},
                                                                                {"token", "list"},
                                                                                {"token", "show"},
                                                                                {"evidence"},
                                                                                {"evidence", "verify"},
                                                                                {"config"},
                                                                                {"config", "check"},
                                                                                {"config", "show"},
                                                                                {"policy"},
                                                                                {"policy", "list"},
                                                                                {"policy", "show"},
                                                                                {"policy", "check"}}) {
    command.emplace_back("--help");
    const CommandResult result = hsm_signer(command);
    CAPTURE(result.out);
    CHECK(result.exit_code == 0);
    CHECK(holds(result, "Example"));
    CHECK(holds(result, "\n  hsm-signer "));
  }
}

TEST_CASE("--version says which") {
  const CommandResult result = hsm_signer({"--version"});
  CHECK(result.exit_code == 0);
  CHECK(result.out == "hsm-signer 0.1.0\n");
}

TEST_CASE("a faulty command line exits 2, in a sentence that repeats no values") {
  struct Row {
    std::vector<std::string> arguments;
    const char* says;
  };
  for (const Row& row : std::vector<Row>{{{}, "subcommand is required"},
                                         {{"srve"}, "unknown command srve"},
                                         {{"serve"}, "--config is required"},
                                         {{"serve", "--config", "x", "--verbose=s3cr3t"}, "unknown option --verbose"},
                                         {{"serve", "--config", "x", "-ps3cr3t"}, "unknown option -p"},
                                         {{"serve", "--config", "x", "s3cr3t"}, "an argument that nothing here takes"},
                                         {{"token"}, "subcommand is required"},
                                         {{"token", "init"}, "--label is required"},
                                         {{"config", "show"}, "either --config FILE or --defaults"},
                                         {{"config", "show", "--defaults", "--config", "x"}, "either"}}) {
    const CommandResult result = hsm_signer(row.arguments);
    CAPTURE(result.out);
    CHECK(result.exit_code == 2);
    CHECK(result.out.starts_with("hsm-signer: "));
    CHECK(holds(result, row.says));
    CHECK(holds(result, "--help"));
    CHECK_FALSE(holds(result, "s3cr3t"));
  }
}

TEST_CASE("a PIN on the command line is refused without repeating it") {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"serve", "--pin", "s3cr3t", "--config", "x"},
                                             {"serve", "--pin=s3cr3t"},
                                             {"--pin", "s3cr3t"},
                                             {"token", "init", "--label", "x", "--so-pin", "s3cr3t"},
                                             {"token", "init", "--label", "x", "--user_pin=s3cr3t"},
                                             {"token", "show", "--PIN", "s3cr3t"}}) {
    const CommandResult result = hsm_signer(arguments);
    CAPTURE(result.out);
    CHECK(result.exit_code == 2);
    CHECK(holds(result, "never taken from the command line"));
    CHECK(holds(result, "token.pin_file"));
    CHECK(holds(result, "token.pin_env"));
    CHECK_FALSE(holds(result, "s3cr3t"));
  }
}

TEST_CASE("config check tells every fault on a line of its own") {
  const TemporaryDirectory directory;
  const std::string file = directory.write("c.toml", "[server]\nport = 70000\nprot = 1\n[token]\nlabel = \"t\"\n");
  const CommandResult faulty = hsm_signer({"config", "check", "--config", file});
  CAPTURE(faulty.out);
  CHECK(faulty.exit_code == 2);
  CHECK(holds(faulty, "hsm-signer: server.port (line 2): must be from 0 to 65535\n"));
  CHECK(holds(faulty, "hsm-signer: server.prot (line 3): unknown setting; did you mean server.port?\n"));
  CHECK(holds(faulty, "hsm-signer: help: "));
  const std::string minimal = directory.write("d.toml", "[token]\nserial = \"1\"\n");
  const CommandResult sound = hsm_signer({"config", "check", "--config", minimal});
  CHECK(sound.exit_code == 0);
  CHECK(holds(sound, ": ok\n"));
}

TEST_CASE("config show prints what config check takes") {
  const TemporaryDirectory directory;
  const std::string file = directory.write("c.toml", "[token]\nlabel = \"t\"\n");
  const CommandResult shown = hsm_signer({"config", "show", "--config", file});
  REQUIRE(shown.exit_code == 0);
  const std::string again = directory.write("again.toml", shown.out);
  CHECK(hsm_signer({"config", "show", "--config", again}).out == shown.out);
  const CommandResult sample = hsm_signer({"config", "show", "--defaults"});
  CHECK(sample.exit_code == 0);
  CHECK(sample.out == test_support::read_file(HSM_SIGNER_SOURCE_DIR "/examples/hsm-signer.toml"));
}

TEST_CASE("a command that needs a PIN and has none exits 2 and says how to give one") {
  const TemporaryDirectory directory;
  const std::string file = directory.write("c.toml", "[token]\nlabel = \"t\"\npin_env = \"HSM_SIGNER_NOT_SET\"\n");
  const CommandResult result = hsm_signer({"token", "show", "--config", file});
  CAPTURE(result.out);
  CHECK(result.exit_code == 2);
  CHECK(holds(result, "there is no PIN"));
  CHECK(holds(result, "HSM_SIGNER_NOT_SET"));
}
