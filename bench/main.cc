// hsm-signer-bench: the measurements that scripts/bench puts together. Each subcommand is one process with one task,
// so that nothing a measurement left in memory speeds up or slows down the next.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "base/uuid.h"
#include "cryptoki.h"
#include "growth_commands.h"
#include "http_load.h"
#include "raw_floor.h"
#include "report.h"
#include "sample.h"

namespace hsmsigner::bench {
namespace {

struct TokenArguments {
  std::string module;
  std::string label;
  std::string pin_file;
};

void add_token_options(CLI::App& command, TokenArguments& arguments) {
  command.add_option("--module", arguments.module, "PKCS#11 module")->required()->check(CLI::ExistingFile);
  command.add_option("--label", arguments.label, "label of the token")->required();
  command.add_option("--pin-file", arguments.pin_file, "file with the user PIN; else the variable HSM_SIGNER_PIN");
}

Secret read_pin(const std::string& file) {
  std::string line;
  if (!file.empty()) {
    std::ifstream stream(file);
    if (!std::getline(stream, line)) throw std::runtime_error("no PIN in the file given by --pin-file");
  } else {
    const char* variable = std::getenv("HSM_SIGNER_PIN");
    if (variable == nullptr) throw std::runtime_error("no PIN: give --pin-file or set HSM_SIGNER_PIN");
    line = variable;
  }
  Secret pin(line);
  cleanse(line.data(), line.size());
  return pin;
}

LoggedInToken open_token(const TokenArguments& arguments) {
  return LoggedInToken(arguments.module, arguments.label, read_pin(arguments.pin_file));
}

// What every measurement is told.
struct LoadArguments {
  Algorithm algorithm = Algorithm::p256;
  unsigned concurrency = 1;
  std::size_t operations = 100;
  std::size_t warm_up = 8;
  std::size_t keys = 0;
  unsigned round = 1;
};

const std::vector<std::pair<std::string, Algorithm>> algorithm_names{{"p256", Algorithm::p256},
                                                                     {"rsa2048", Algorithm::rsa2048}};
const std::vector<std::pair<std::string, RawWork>> work_names{
    {"pair", RawWork::pair}, {"generate", RawWork::generate}, {"sign", RawWork::sign}};

void add_algorithm_option(CLI::App& command, Algorithm& algorithm) {
  command.add_option("--algorithm", algorithm, "p256 or rsa2048")->transform(CLI::CheckedTransformer(algorithm_names));
}

void add_load_options(CLI::App& command, LoadArguments& arguments) {
  add_algorithm_option(command, arguments.algorithm);
  command.add_option("--concurrency", arguments.concurrency, "threads or clients")->check(CLI::Range(1, 256));
  command.add_option("--operations", arguments.operations, "measured operations")->check(CLI::PositiveNumber);
  command.add_option("--warm-up", arguments.warm_up, "operations before those");
  command.add_option("--keys", arguments.keys, "nominal fill of the token, copied into the result");
  command.add_option("--round", arguments.round, "number of the round, copied into the result");
}

Sample sample_of(const LoadArguments& arguments) {
  Sample sample;
  sample.algorithm = to_string(arguments.algorithm);
  sample.concurrency = arguments.concurrency;
  sample.keys = arguments.keys;
  sample.round = arguments.round;
  return sample;
}

void run_raw(const TokenArguments& token_arguments, const LoadArguments& load, RawWork work,
             const std::string& signing_key) {
  RawOptions options;
  options.algorithm = load.algorithm;
  options.work = work;
  options.threads = load.concurrency;
  options.warm_up = load.warm_up;
  options.operations = load.operations;
  if (!signing_key.empty()) {
    options.signing_key = Uuid::parse(signing_key);
    if (!options.signing_key) throw std::runtime_error("--signing-key is no UUID");
  }
  const auto token = open_token(token_arguments);
  const auto result = measure_raw(token, options);

  Sample sample = sample_of(load);
  sample.side = "raw";
  for (const auto& [name, value] : work_names) {
    if (value == work) sample.work = name;
  }
  sample.objects_before = result.objects_before;
  sample.objects_after = result.objects_after;
  take(sample, result.loop);
  std::cout << to_json_line(sample) << "\n";
}

void run_http(const TokenArguments& token_arguments, const LoadArguments& load, const Server& server,
              const std::string& authority) {
  Sample sample = sample_of(load);
  sample.side = "http";
  sample.work = "certificate";
  // The token is closed again before the load begins: this process must not share it with the server meanwhile.
  sample.objects_before = open_token(token_arguments).count_objects();

  const auto result =
      measure_http({server, load.algorithm, authority, load.concurrency, load.warm_up, load.operations});
  take(sample, result.loop);

  const auto token = open_token(token_arguments);
  sample.objects_after = token.count_objects();
  const auto destroyed = token.destroy_keys(result.ids);
  if (destroyed != result.ids.size() || sample.objects_after - sample.objects_before != result.ids.size()) {
    throw std::runtime_error(std::to_string(result.ids.size()) + " certificates were issued, but the token went from " +
                             std::to_string(sample.objects_before) + " to " + std::to_string(sample.objects_after) +
                             " objects and held the keys of " + std::to_string(destroyed));
  }
  std::cout << to_json_line(sample) << "\n";
}

std::string describe_module(const std::string& path) {
  const Module module(path);
  CK_INFO info{};
  check(module->C_GetInfo(&info), "C_GetInfo");
  // Padded with blanks, not terminated.
  std::string text(reinterpret_cast<const char*>(info.libraryDescription), sizeof info.libraryDescription);
  text.erase(text.find_last_not_of(' ') + 1);
  return text + " " + std::to_string(info.libraryVersion.major) + "." + std::to_string(info.libraryVersion.minor);
}

// Returns whether the ratio that was required is reached.
bool run_report(const std::string& samples_file, const std::string& out, Circumstances circumstances,
                const std::string& module, double require_ratio) {
  std::vector<Sample> samples;
  std::ifstream lines(samples_file);
  for (std::string line; std::getline(lines, line);) samples.push_back(sample_from_json(line));
  if (samples.empty()) throw std::runtime_error("no samples in " + samples_file);

  circumstances.module = describe_module(module);
  circumstances.compiler = __VERSION__;
  const auto report = make_report(samples);
  print_table(std::cout, report, circumstances);
  std::ofstream file(out);
  file << to_json(report, circumstances);
  if (!file.flush()) throw std::runtime_error("cannot write " + out);

  const double reached = worst_ratio(report, to_string(Algorithm::p256));
  if (require_ratio == 0 || reached >= require_ratio) return true;
  std::cerr << "hsm-signer-bench: P-256 with 8 clients reaches " << reached << " of the best raw rate, required is "
            << require_ratio << "\n";
  return false;
}

int run(int argc, char** argv) {
  CLI::App app{"The measurements that scripts/bench puts together", "hsm-signer-bench"};
  app.require_subcommand(1);
  TokenArguments token;
  LoadArguments load;
  RawWork work = RawWork::pair;
  std::string signing_key;
  Server server;
  std::string authorization_file;
  std::string authority;
  std::size_t objects = 0;
  std::string samples;
  std::string out;
  double require_ratio = 0;
  Circumstances circumstances;

  auto* fill_command = app.add_subcommand("fill", "add P-256 keys until the token holds that many objects");
  add_token_options(*fill_command, token);
  fill_command->add_option("--objects", objects)->required();

  auto* raw = app.add_subcommand("raw", "measure the module directly; prints one line of JSON");
  add_token_options(*raw, token);
  add_load_options(*raw, load);
  raw->add_option("--work", work, "pair (generate and sign), generate or sign")
      ->transform(CLI::CheckedTransformer(work_names));
  raw->add_option("--signing-key", signing_key, "UUID of the key that signs (its CKA_ID); default: a temporary one");

  auto* ca = app.add_subcommand("authority", "issue a self-signed authority over HTTP; prints its id");
  add_algorithm_option(*ca, load.algorithm);
  ca->add_option("--url", server.url)->required();
  ca->add_option("--authorization-file", authorization_file, "holds `Authorization: Bearer TOKEN`")->required();
  ca->add_option("--name", authority)->required();

  auto* http = app.add_subcommand("http", "measure POST /certificates; prints one line of JSON");
  add_token_options(*http, token);
  add_load_options(*http, load);
  http->add_option("--url", server.url)->required();
  http->add_option("--authorization-file", authorization_file, "holds `Authorization: Bearer TOKEN`")->required();
  http->add_option("--authority", authority, "name of the CA certificate that signs")->required();

  auto* report = app.add_subcommand("report", "samples to a table (standard output) and JSON (--out)");
  report->add_option("--samples", samples, "file of what raw and http printed")->required();
  report->add_option("--out", out)->required();
  report->add_option("--module", token.module)->required();
  report->add_option("--server-version", circumstances.server_version);
  report->add_option("--commit", circumstances.commit);
  report->add_option("--token-place", circumstances.token_place);
  report->add_option("--started", circumstances.started);
  report->add_option("--require-ratio", require_ratio, "exit 3 unless P-256 with 8 clients reaches it at every fill");

  add_growth_commands(app);

  CLI11_PARSE(app, argc, argv);

  if (!authorization_file.empty()) server.authorization = authorization_in(authorization_file);
  if (fill_command->parsed()) fill(open_token(token), objects);
  if (raw->parsed()) run_raw(token, load, work, signing_key);
  if (ca->parsed()) std::cout << make_authority(server, load.algorithm, authority).to_string() << "\n";
  if (http->parsed()) run_http(token, load, server, authority);
  if (report->parsed() && !run_report(samples, out, circumstances, token.module, require_ratio)) return 3;
  return 0;
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
