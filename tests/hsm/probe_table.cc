#include "probe_table.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace hsm_contract {
namespace {

using namespace hsmsigner;
using namespace hsmsigner::hsm;

// "refused 0x6a CKR_KEY_UNEXTRACTABLE (5)", one for each kind of answer in the order of the first of them.
std::string cell(const AlgorithmProbe& probe, const std::string& call) {
  std::vector<std::pair<std::string, int>> answers;
  for (const ProbeAttempt& attempt : probe.attempts) {
    if (attempt.call != call) continue;
    char code[32] = "";
    if (attempt.outcome != ProbeOutcome::not_tried) std::snprintf(code, sizeof code, " %#lx ", attempt.code);
    std::string answer(to_string(attempt.outcome));
    if (attempt.outcome != ProbeOutcome::not_tried) answer += code + attempt.code_name;
    const auto known =
        std::find_if(answers.begin(), answers.end(), [&](const auto& row) { return row.first == answer; });
    if (known == answers.end()) {
      answers.emplace_back(answer, 1);
    } else {
      ++known->second;
    }
  }
  std::string text;
  for (const auto& [answer, count] : answers) {
    text += (text.empty() ? "" : "<br>") + answer + " (" + std::to_string(count) + ")";
  }
  return text;
}

}  // namespace

void write_rows(const TokenInfo& token, const ProbeResult& result) {
  const char* const file = std::getenv("HSM_SIGNER_PROBE_TABLE");
  if (file == nullptr) return;
  std::ofstream out(file, std::ios::app);
  for (const AlgorithmProbe& probe : result.algorithms) {
    out << "| " << token.manufacturer << ' ' << token.model << ' ' << token.firmware << ", module "
        << token.module_description << " | " << info(probe.algorithm).name << " | " << to_string(probe.verdict);
    if (!probe.reason.empty()) out << ": " << probe.reason;
    if (!probe.mismatch.empty()) out << "; " << probe.mismatch;
    out << " |";
    for (const char* call : {"C_GetAttributeValue", "C_WrapKey", "C_SetAttributeValue", "C_CopyObject"}) {
      out << ' ' << cell(probe, call) << " |";
    }
    out << '\n';
  }
}

}  // namespace hsm_contract
