#include "load_commands.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "base/uuid.h"
#include "cryptoki.h"
#include "disk_floor.h"
#include "http_load.h"
#include "raw_floor.h"
#include "sample.h"

namespace hsmsigner::bench {
namespace {

const std::vector<std::pair<std::string, Algorithm>> algorithm_names{
    {"p256", Algorithm::p256}, {"rsa2048", Algorithm::rsa2048}, {"rsa4096", Algorithm::rsa4096}};
const std::vector<std::pair<std::string, RawWork>> raw_work_names{
    {"pair", RawWork::pair}, {"generate", RawWork::generate}, {"sign", RawWork::sign}};
const std::vector<std::string> http_work_names{"certificate", "pool", "get", "open"};

struct Arguments {
  std::string module;
  std::string label;
  std::string pin_file;

  Algorithm algorithm = Algorithm::p256;
  std::string work;
  unsigned concurrency = 1;
  std::size_t operations = 100;
  std::size_t warm_up = 8;
  std::size_t keys = 0;
  unsigned round = 1;

  RawWork raw_work = RawWork::pair;
  std::string signing_key;
  HttpOptions http;
  std::string authorization_file;
  std::string name;
  std::size_t objects = 0;
  std::string directory;
  double seconds = 0;
};

void add_token_options(CLI::App& command, Arguments& arguments) {
  command.add_option("--module", arguments.module, "PKCS#11 module")->required()->check(CLI::ExistingFile);
  command.add_option("--label", arguments.label, "label of the token")->required();
  command.add_option("--pin-file", arguments.pin_file, "file with the user PIN; else the variable HSM_SIGNER_PIN");
}

void add_server_options(CLI::App& command, Arguments& arguments) {
  command.add_option("--url", arguments.http.server.url)->required();
  command.add_option("--authorization-file", arguments.authorization_file, "holds `Authorization: Bearer TOKEN`")
      ->required();
}

void add_algorithm_option(CLI::App& command, Arguments& arguments) {
  command.add_option("--algorithm", arguments.algorithm, "p256, rsa2048 or rsa4096")
      ->transform(CLI::CheckedTransformer(algorithm_names));
}

void add_sample_options(CLI::App& command, Arguments& arguments) {
  add_algorithm_option(command, arguments);
  command.add_option("--operations", arguments.operations, "measured operations")->check(CLI::PositiveNumber);
  command.add_option("--keys", arguments.keys, "nominal fill of the token, copied into the result");
  command.add_option("--round", arguments.round, "number of the round, copied into the result");
}

void add_load_options(CLI::App& command, Arguments& arguments) {
  add_sample_options(command, arguments);
  command.add_option("--concurrency", arguments.concurrency, "threads or clients")->check(CLI::Range(1, 256));
  command.add_option("--warm-up", arguments.warm_up, "operations before those");
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

LoggedInToken open_token(const Arguments& arguments) {
  return LoggedInToken(arguments.module, arguments.label, read_pin(arguments.pin_file));
}

Sample sample_of(const Arguments& arguments, const char* side, const std::string& work) {
  Sample sample;
  sample.side = side;
  sample.work = work;
  sample.algorithm = to_string(arguments.algorithm);
  sample.concurrency = arguments.concurrency;
  sample.keys = arguments.keys;
  sample.round = arguments.round;
  return sample;
}

void print(const Sample& sample) { std::cout << to_json_line(sample) << "\n"; }

void run_raw(const Arguments& arguments) {
  RawOptions options;
  options.algorithm = arguments.algorithm;
  options.work = arguments.raw_work;
  options.threads = arguments.concurrency;
  options.warm_up = arguments.warm_up;
  options.operations = arguments.operations;
  if (!arguments.signing_key.empty()) {
    options.signing_key = Uuid::parse(arguments.signing_key);
    if (!options.signing_key) throw std::runtime_error("--signing-key is no UUID");
  }
  const auto token = open_token(arguments);
  const auto result = measure_raw(token, options);

  std::string work;
  for (const auto& [name, value] : raw_work_names) {
    if (value == arguments.raw_work) work = name;
  }
  Sample sample = sample_of(arguments, "raw", work);
  sample.objects_before = result.objects_before;
  sample.objects_after = result.objects_after;
  take(sample, result.loop);
  print(sample);
}

// Destroys what was issued, and compares the token with what was answered.
void clean_up(const Arguments& arguments, const HttpResult& result, Sample& sample) {
  const auto token = open_token(arguments);
  sample.objects_after = token.count_objects();
  const auto destroyed = token.destroy_keys(result.ids);
  // A key made ahead was there before.
  const std::size_t made = arguments.work == "pool" ? 0 : result.ids.size();
  if (destroyed == result.ids.size() && sample.objects_after == sample.objects_before + made) return;
  throw std::runtime_error(std::to_string(result.ids.size()) + " certificates were issued, but the token went from " +
                           std::to_string(sample.objects_before) + " to " + std::to_string(sample.objects_after) +
                           " objects and held the keys of " + std::to_string(destroyed));
}

void run_http(Arguments& arguments) {
  HttpOptions& options = arguments.http;
  options.server.authorization = authorization_in(arguments.authorization_file);
  options.call = arguments.work == "get" ? Call::get : arguments.work == "open" ? Call::open : Call::certificate;
  options.algorithm = arguments.algorithm;
  options.clients = arguments.concurrency;
  options.warm_up = arguments.warm_up;
  options.operations = arguments.operations;
  const bool issues = options.call == Call::certificate;

  Sample sample = sample_of(arguments, "http", arguments.work);
  sample.asked_rate = options.per_second;
  // The token is closed again before the load begins: this process must not share it with the server meanwhile.
  if (issues) sample.objects_before = open_token(arguments).count_objects();
  const auto result = measure_http(options);
  take(sample, result.loop);
  const double operations = static_cast<double>(sample.operations);
  sample.server_cpu_us = result.server_seconds * 1e6 / operations;
  sample.client_cpu_us = result.client_seconds * 1e6 / operations;
  sample.store_syncs = static_cast<double>(result.syncs.store) / operations;
  sample.other_syncs = static_cast<double>(result.syncs.others) / operations;
  sample.errors = result.errors;
  if (result.errors > 0) std::cerr << "hsm-signer-bench: " << result.first_error << "\n";
  if (issues) clean_up(arguments, result, sample);
  print(sample);
}

void run_disk(const Arguments& arguments) {
  Sample sample = sample_of(arguments, "other", "sync");
  take(sample, measure_disk(arguments.directory, arguments.operations));
  print(sample);
}

// What another program measured.
void run_note(const Arguments& arguments) {
  Sample sample = sample_of(arguments, "other", arguments.work);
  sample.operations = arguments.operations;
  sample.seconds = arguments.seconds;
  sample.rate = static_cast<double>(arguments.operations) / arguments.seconds;
  sample.p50_ms = sample.p99_ms = sample.p999_ms = 1000 / sample.rate;
  print(sample);
}

void add_raw(CLI::App& app, const std::shared_ptr<Arguments>& arguments) {
  auto* raw = app.add_subcommand("raw", "measure the module directly; prints one line of JSON");
  add_token_options(*raw, *arguments);
  add_load_options(*raw, *arguments);
  raw->add_option("--work", arguments->raw_work, "pair (generate and sign), generate or sign")
      ->transform(CLI::CheckedTransformer(raw_work_names));
  raw->add_option("--signing-key", arguments->signing_key,
                  "UUID of the key that signs (its CKA_ID); default: a temporary one");
  raw->callback([arguments] { run_raw(*arguments); });
}

void add_http(CLI::App& app, const std::shared_ptr<Arguments>& arguments) {
  auto* http = app.add_subcommand("http", "measure the server; prints one line of JSON");
  add_token_options(*http, *arguments);
  add_load_options(*http, *arguments);
  add_server_options(*http, *arguments);
  http->add_option("--work", arguments->work,
                   "certificate (POST), pool (POST, keys made ahead), get (GET by id) or open (GET without caller)")
      ->default_val("certificate")
      ->check(CLI::IsMember(http_work_names));
  http->add_option("--authority", arguments->http.authority, "name of the CA certificate that signs");
  http->add_option("--per-second", arguments->http.per_second, "requests are due at this rate; 0: a closed loop")
      ->check(CLI::NonNegativeNumber);
  http->add_option("--server-process", arguments->http.server_process, "whose processor time is counted");
  http->add_option("--sync-file", arguments->http.sync_file, "of the library preloaded into the server");
  http->callback([arguments] { run_http(*arguments); });
}

}  // namespace

void add_load_commands(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();

  auto* fill_command = app.add_subcommand("fill", "add P-256 keys until the token holds that many objects");
  add_token_options(*fill_command, *arguments);
  fill_command->add_option("--objects", arguments->objects)->required();
  fill_command->callback([arguments] { fill(open_token(*arguments), arguments->objects); });

  auto* kept = app.add_subcommand("kept", "kilobytes that the module keeps in memory of a key that was made and destroyed");
  add_token_options(*kept, *arguments);
  kept->add_option("--operations", arguments->operations, "keys")->required()->check(CLI::PositiveNumber);
  kept->callback(
      [arguments] { std::cout << measure_kept_kilobytes(open_token(*arguments), arguments->operations) << "\n"; });

  auto* authority = app.add_subcommand("authority", "issue a self-signed authority over HTTP; prints its id");
  add_algorithm_option(*authority, *arguments);
  add_server_options(*authority, *arguments);
  authority->add_option("--name", arguments->name)->required();
  authority->callback([arguments] {
    arguments->http.server.authorization = authorization_in(arguments->authorization_file);
    std::cout << make_authority(arguments->http.server, arguments->algorithm, arguments->name).to_string() << "\n";
  });

  add_raw(app, arguments);
  add_http(app, arguments);

  auto* disk = app.add_subcommand("disk", "measure 4 KiB with fdatasync; prints one line of JSON");
  add_sample_options(*disk, *arguments);
  disk->add_option("--directory", arguments->directory)->required()->check(CLI::ExistingDirectory);
  disk->callback([arguments] { run_disk(*arguments); });

  auto* note = app.add_subcommand("note", "what another program took for its operations, as a line of JSON");
  add_sample_options(*note, *arguments);
  note->add_option("--work", arguments->work)->required();
  note->add_option("--seconds", arguments->seconds, "for all operations")->required()->check(CLI::PositiveNumber);
  note->callback([arguments] { run_note(*arguments); });
}

}  // namespace hsmsigner::bench
