#include "report_commands.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "cryptoki.h"
#include "report.h"
#include "result_file.h"
#include "sample.h"

namespace hsmsigner::bench {
namespace {

struct Arguments {
  std::string samples;
  std::string out;
  std::string module;
  std::string growth;
  std::string previous;
  std::string results;
  std::vector<std::string> required;
  double require_ratio = 0;
  Circumstances circumstances;
};

std::string whole(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
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

// "FIGURE=VALUE": whether it is reached. Says so when it is not.
bool reaches(const std::vector<Verdict>& verdicts, const std::string& requirement) {
  const std::size_t equals = requirement.find('=');
  const auto found = std::find_if(verdicts.begin(), verdicts.end(), [&](const Verdict& verdict) {
    return verdict.name == requirement.substr(0, equals);
  });
  double wanted = 0;
  if (equals == std::string::npos || found == verdicts.end() ||
      std::from_chars(requirement.data() + equals + 1, requirement.data() + requirement.size(), wanted).ec !=
          std::errc()) {
    throw std::runtime_error("--require takes FIGURE=VALUE, not " + requirement);
  }
  if (found->value && (found->at_most ? *found->value <= wanted : *found->value >= wanted)) return true;
  std::cerr << "hsm-signer-bench: " << found->what << ": required is " << wanted << ", reached "
            << (found->value ? std::to_string(*found->value) : "nothing, as it was not measured") << "\n";
  return false;
}

void run_report(Arguments& arguments, bool& reached) {
  std::vector<Sample> samples;
  std::ifstream lines(arguments.samples);
  for (std::string line; std::getline(lines, line);) samples.push_back(sample_from_json(line));
  if (samples.empty()) throw std::runtime_error("no samples in " + arguments.samples);

  Circumstances& circumstances = arguments.circumstances;
  circumstances.machine = this_machine();
  circumstances.module = describe_module(arguments.module);
  circumstances.compiler = __VERSION__;
  const std::string growth = arguments.growth.empty() ? "" : whole(arguments.growth);
  const auto report = make_report(samples);
  const auto verdicts = judge(report, growth.empty() ? GrowthFigures{} : growth_figures(growth));
  const std::string json = to_json(report, verdicts, circumstances, growth);
  print_table(std::cout, report, circumstances);
  print_verdicts(std::cout, verdicts);
  if (!arguments.previous.empty()) {
    const Result before = result_from_json(whole(arguments.previous));
    if (before.mode == circumstances.mode) print_comparison(std::cout, before, result_from_json(json));
  }
  std::ofstream file(arguments.out);
  file << json;
  if (!file.flush()) throw std::runtime_error("cannot write " + arguments.out);

  for (const auto& requirement : arguments.required) reached = reaches(verdicts, requirement) && reached;
  const double ratio = worst_ratio(report, "P-256");
  if (ratio < arguments.require_ratio) {
    std::cerr << "hsm-signer-bench: P-256 with 8 clients reaches " << ratio << " of the best raw rate, required is "
              << arguments.require_ratio << "\n";
    reached = false;
  }
  const auto failed =
      std::count_if(samples.begin(), samples.end(), [](const Sample& sample) { return sample.errors > 0; });
  if (failed > 0) throw std::runtime_error(std::to_string(failed) + " measurements had answers that were errors");
}

}  // namespace

void add_report_commands(CLI::App& app, bool& reached) {
  const auto arguments = std::make_shared<Arguments>();
  Circumstances& circumstances = arguments->circumstances;

  auto* report = app.add_subcommand("report", "samples to a table (standard output) and JSON (--out)");
  report->add_option("--samples", arguments->samples, "file of what raw, http, disk and note printed")->required();
  report->add_option("--out", arguments->out)->required();
  report->add_option("--module", arguments->module)->required();
  report->add_option("--growth", arguments->growth, "what scripts/growth wrote");
  report->add_option("--previous", arguments->previous, "an earlier result of the same mode, to compare with");
  report->add_option("--server-version", circumstances.server_version);
  report->add_option("--commit", circumstances.commit);
  report->add_option("--token-place", circumstances.token_place);
  report->add_option("--softhsm", circumstances.softhsm);
  report->add_option("--openssl", circumstances.openssl);
  report->add_option("--load-average", circumstances.load_average);
  report->add_option("--started", circumstances.started);
  report->add_option("--mode", circumstances.mode)->check(CLI::IsMember({"full", "quick"}))->default_val("full");
  report->add_option("--require", arguments->required, "FIGURE=VALUE: exit 3 unless it is reached");
  report->add_option("--require-ratio", arguments->require_ratio,
                     "exit 3 unless P-256 with 8 clients reaches it at every fill");
  report->callback([arguments, &reached] { run_report(*arguments, reached); });

  auto* figures = app.add_subcommand("figures", "the figures of a result as rows of a Markdown table");
  figures->add_option("--results", arguments->results, "a file of bench/results")->required();
  figures->callback([arguments] { print_markdown(std::cout, whole(arguments->results)); });
}

}  // namespace hsmsigner::bench
