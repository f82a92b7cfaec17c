#include "app/probe_at_start.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "audit/event.h"
#include "audit/event_line.h"
#include "base/error.h"
#include "base/log.h"

namespace hsmsigner::app {
namespace {

// Of these as many as an operator reads; `token probe` shows all.
constexpr std::size_t kLeaksTold = 3;

std::optional<KeyAlgorithm> one_of(KeyFamily family, KeyAlgorithm preferred, const hsm::Token& token) {
  if (token.can_generate(preferred)) return preferred;
  std::optional<KeyAlgorithm> found;
  for (const KeyAlgorithmInfo& row : key_algorithms()) {
    if (row.family != family || !token.can_generate(row.algorithm)) continue;
    if (!found || (info(*found).weak && !row.weak)) found = row.algorithm;
  }
  return found;
}

// For the journal: one word, and the name of a detail ("p_256").
std::string_view word_of(hsm::ProbeVerdict verdict) {
  switch (verdict) {
    case hsm::ProbeVerdict::keeps_keys: return audit::kKeepsKeys;
    case hsm::ProbeVerdict::gives_keys_out: return "gives_keys_out";
    case hsm::ProbeVerdict::inconclusive: break;
  }
  return "inconclusive";
}

std::string detail_name(KeyAlgorithm algorithm) {
  std::string name(info(algorithm).name);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c == '-' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

audit::Event event_of(const std::string& token, const hsm::ProbeResult& result, bool accepted) {
  audit::Event event{.kind = audit::EventKind::token_probed, .object = token};
  const bool keeps = result.verdict() == hsm::ProbeVerdict::keeps_keys;
  if (!keeps && !accepted) event.outcome = audit::Outcome::refused;
  event.details.emplace_back("verdict", word_of(result.verdict()));
  if (!keeps) event.details.emplace_back("accepted", accepted ? "true" : "false");
  for (const hsm::AlgorithmProbe& probe : result.algorithms) {
    const std::string codes = hsm::codes_of(probe);
    event.details.emplace_back(detail_name(probe.algorithm),
                               std::string(word_of(probe.verdict)) + (codes.empty() ? "" : ": " + codes));
  }
  if (const std::string names = not_tried(result); !names.empty()) event.details.emplace_back("not_tried", names);
  return event;
}

audit::KeyEvidence::Probe for_evidence(const hsm::ProbeResult& result, bool accepted) {
  audit::KeyEvidence::Probe probe{system_now_millis(), std::string(word_of(result.verdict())), accepted, ""};
  for (const hsm::AlgorithmProbe& one : result.algorithms) {
    probe.codes += (probe.codes.empty() ? "" : "; ") + std::string(info(one.algorithm).name) + ": " +
                   std::string(word_of(one.verdict)) + ", " + hsm::codes_of(one);
  }
  probe.codes = audit::presentable(probe.codes);
  return probe;
}

// What stands against the token, one sentence each.
std::vector<std::string> findings_of(const hsm::ProbeResult& result) {
  std::vector<const hsm::ProbeAttempt*> leaks;
  std::vector<std::string> reasons;
  for (const hsm::AlgorithmProbe& probe : result.algorithms) {
    for (const hsm::ProbeAttempt& attempt : probe.attempts) {
      if (attempt.outcome == hsm::ProbeOutcome::leaked) leaks.push_back(&attempt);
    }
    if (!probe.reason.empty()) reasons.push_back(std::string(info(probe.algorithm).name) + ": " + probe.reason);
  }
  // Those first that leave nothing to doubt.
  std::stable_partition(leaks.begin(), leaks.end(), [](const hsm::ProbeAttempt* leak) { return leak->proven; });
  std::vector<std::string> findings;
  for (const hsm::ProbeAttempt* const leak : leaks) {
    if (findings.size() == kLeaksTold) break;
    findings.push_back(std::string(info(leak->algorithm).name) + ": " + hsm::sentence(*leak));
  }
  if (leaks.size() > kLeaksTold) findings.push_back("and " + std::to_string(leaks.size() - kLeaksTold) + " more");
  findings.insert(findings.end(), reasons.begin(), reasons.end());
  if (findings.empty()) findings.emplace_back("it makes no key of a kind that could be tried");
  return findings;
}

}  // namespace

std::vector<KeyAlgorithm> one_of_each_family(const hsm::Token& token) {
  std::vector<KeyAlgorithm> algorithms;
  for (const auto& [family, preferred] :
       {std::pair(KeyFamily::rsa, KeyAlgorithm::rsa_2048), std::pair(KeyFamily::ec, KeyAlgorithm::ec_p256)}) {
    if (const auto algorithm = one_of(family, preferred, token)) algorithms.push_back(*algorithm);
  }
  return algorithms;
}

std::vector<KeyAlgorithm> one_of_each_family(const service::TokenSet& tokens) {
  std::set<KeyAlgorithm> algorithms;
  for (const service::ServiceToken& each : tokens.all()) {
    for (const KeyAlgorithm algorithm : one_of_each_family(each.token)) algorithms.insert(algorithm);
  }
  return {algorithms.begin(), algorithms.end()};
}

std::string not_tried(const hsm::ProbeResult& result) {
  std::string text;
  for (const std::string& name : hsm::wrappings_not_tried(result)) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string name_to_accept(const hsm::TokenInfo& token) {
  if (!token.serial.empty()) return token.serial;
  return token.manufacturer + "/" + token.model + "/" + token.label;
}

audit::KeyEvidence::Probe probe_at_start(hsm::Token& token, const std::string& table, const std::string& accepted,
                                         store::JournalStore& journal, Deadline deadline) {
  const auto begun = std::chrono::steady_clock::now();
  const hsm::ProbeResult result = token.probe(one_of_each_family(token), deadline);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  const hsm::ProbeVerdict verdict = result.verdict();
  const std::string name = name_to_accept(token.info());
  const bool is_accepted = !name.empty() && name == accepted;
  const audit::Event event = event_of(name, result, is_accepted);
  const bool keeps = verdict == hsm::ProbeVerdict::keeps_keys;
  audit::KeyEvidence::Probe told = for_evidence(result, is_accepted && !keeps);
  for (const hsm::AlgorithmProbe& probe : result.algorithms) {
    log::info("token probed", {{"token", name},
                               {"algorithm", info(probe.algorithm).name},
                               {"verdict", to_string(probe.verdict)},
                               {"codes", hsm::codes_of(probe)},
                               {"mismatch", probe.mismatch}});
  }
  if (const std::string names = not_tried(result); !names.empty()) {
    log::warning("the token offers ways to wrap keys that were not tried", {{"token", name}, {"mechanisms", names}});
  }
  journal.append(event, deadline);
  if (keeps) {
    log::info("the token keeps its keys", {{"token", name}, {"milliseconds", static_cast<std::int64_t>(took.count())}});
    return told;
  }
  std::vector<std::string> findings = findings_of(result);
  if (is_accepted) {
    for (const std::string& finding : findings) {
      log::warning("the token is accepted although it was not shown to keep its keys",
                   {{"token", name}, {"verdict", to_string(verdict)}, {"finding", finding}});
    }
    return told;
  }
  findings.insert(findings.begin(), verdict == hsm::ProbeVerdict::gives_keys_out
                                        ? "the token does not keep its keys: one that must not leave it came out"
                                        : "it cannot be shown that the token keeps its keys");
  throw Error(ErrorKind::token_unavailable, std::move(findings))
      .with_help(
          "`hsm-signer token probe --config FILE` shows every attempt. To serve with this token all the same, "
          "set " +
          table + ".accept_leaking_token = \"" + name + "\".");
}

}  // namespace hsmsigner::app
