#include "app/probe_command.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/interrupt_watch.h"
#include "app/open_tokens.h"
#include "app/probe_at_start.h"
#include "base/algorithm.h"
#include "base/clock.h"
#include "hsm/probe.h"
#include "hsm/token.h"

namespace hsmsigner::app {
namespace {

// For one algorithm: some tokens take a minute for an RSA key of 4096 bits.
constexpr std::chrono::minutes kLongestProbe{5};

using Row = std::array<std::string, 5>;
const Row kHeader = {"algorithm", "call", "with", "return code", "outcome"};

Row row_of(const hsm::ProbeAttempt& attempt) {
  std::string code;
  if (attempt.outcome != hsm::ProbeOutcome::not_tried) {
    char number[32];
    std::snprintf(number, sizeof number, "0x%lx ", attempt.code);
    code = number + attempt.code_name;
  }
  std::string outcome(to_string(attempt.outcome));
  if (!attempt.remark.empty()) outcome += ": " + attempt.remark;
  return {std::string(info(attempt.algorithm).name), attempt.call, attempt.detail, code, outcome};
}

void print(const std::vector<Row>& rows, std::ostream& out) {
  std::array<std::size_t, kHeader.size()> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) out << row[i] << std::string(widths[i] + 2 - row[i].size(), ' ');
    out << row.back() << '\n';
  }
}

int exit_code_of(hsm::ProbeVerdict verdict) {
  switch (verdict) {
    case hsm::ProbeVerdict::keeps_keys: return kExitKeepsKeys;
    case hsm::ProbeVerdict::gives_keys_out: return kExitGivesKeysOut;
    case hsm::ProbeVerdict::inconclusive: break;
  }
  return kExitInconclusive;
}

// Nothing when it was interrupted.
std::optional<hsm::ProbeVerdict> probe_one(hsm::Token& token, bool quick, const InterruptWatch& watch,
                                           std::ostream& out, std::ostream& progress) {
  std::vector<KeyAlgorithm> algorithms;
  if (quick) {
    algorithms = one_of_each_family(token);
  } else {
    for (const KeyAlgorithmInfo& row : key_algorithms()) {
      if (token.can_generate(row.algorithm)) algorithms.push_back(row.algorithm);
    }
  }
  hsm::ProbeResult result;
  std::vector<Row> rows = {kHeader};
  for (const KeyAlgorithm algorithm : algorithms) {
    progress << "probing with a key of " << info(algorithm).name << " ..." << std::endl;
    hsm::ProbeResult one = token.probe({&algorithm, 1}, deadline_in(kLongestProbe), watch.stop_token());
    if (watch.requested()) {
      progress << "interrupted; nothing is concluded" << std::endl;
      return std::nullopt;
    }
    for (hsm::AlgorithmProbe& probe : one.algorithms) {
      for (const hsm::ProbeAttempt& attempt : probe.attempts) rows.push_back(row_of(attempt));
      result.algorithms.push_back(std::move(probe));
    }
  }
  const hsm::TokenInfo& told = token.info();
  out << "token  " << told.label << ", serial " << told.serial << ", " << told.manufacturer << ' ' << told.model
      << " firmware " << told.firmware << "\nmodule " << told.module_description << "\n\n";
  if (rows.size() > 1) print(rows, out);
  out << '\n';
  for (const hsm::AlgorithmProbe& probe : result.algorithms) {
    out << info(probe.algorithm).name << ": " << to_string(probe.verdict);
    if (!probe.reason.empty()) out << ": " << probe.reason;
    if (!probe.mismatch.empty()) out << "; no certificate is issued for such a key, as " << probe.mismatch;
    out << '\n';
  }
  if (result.algorithms.empty()) out << "it makes no key of a kind that could be tried\n";
  if (const std::string names = not_tried(result); !names.empty()) {
    out << "not tried: C_WrapKey with " << names << '\n';
  }
  out << "conclusion: " << to_string(result.verdict()) << '\n';
  return result.verdict();
}

}  // namespace

int probe_token(const Settings& settings, std::vector<Secret> pins, bool quick, std::ostream& out,
                std::ostream& progress) {
  const InterruptWatch watch;
  std::set<int> codes;
  bool interrupted = false;
  for (std::size_t place = 0; place < settings.tokens.size() && !interrupted; ++place) {
    if (place > 0) out << '\n';
    about_token(settings, place, [&] {
      const auto token = hsm::Token::open(settings.tokens[place].options, std::move(pins.at(place)));
      const auto verdict = probe_one(*token, quick, watch, out, progress);
      if (verdict) codes.insert(exit_code_of(*verdict));
      interrupted = !verdict;
    });
  }
  if (interrupted) return watch.exit_code();
  return codes.contains(kExitGivesKeysOut) ? kExitGivesKeysOut : *codes.rbegin();
}

}  // namespace hsmsigner::app
