#include "report/model.h"

namespace hsmsigner::report {

void FindingList::add(Finding finding) {
  if (total_++ < kMostFindings) shown_.push_back(std::move(finding));
}

std::string_view to_string(KeyAnswer answer) noexcept {
  switch (answer) {
    case KeyAnswer::answers: return "answers";
    case KeyAnswer::absent: return "absent";
    case KeyAnswer::another: return "another";
  }
  return "";
}

std::vector<ProbedToken> all_tokens(const Facts& facts) {
  std::vector<ProbedToken> tokens = {{facts.token, facts.probe}};
  tokens.insert(tokens.end(), facts.further_tokens.begin(), facts.further_tokens.end());
  return tokens;
}

std::string_view to_string(ProbeOutcome outcome) noexcept {
  switch (outcome) {
    case ProbeOutcome::keeps_keys: return "keeps_keys";
    case ProbeOutcome::gives_keys_out: return "gives_keys_out";
    case ProbeOutcome::inconclusive: return "inconclusive";
  }
  return "";
}

std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::pass: return "pass";
    case Verdict::attention: return "attention";
    case Verdict::fail: return "fail";
    case Verdict::not_applicable: return "not_applicable";
  }
  return "";
}

}  // namespace hsmsigner::report
