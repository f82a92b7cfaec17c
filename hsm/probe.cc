#include "hsm/probe.h"

#include <algorithm>
#include <array>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "hsm/ck_result.h"
#include "hsm/key_reader.h"
#include "hsm/probe_attempts.h"
#include "hsm/probe_label.h"
#include "hsm/probe_proof.h"
#include "hsm/token_impl.h"

namespace hsmsigner::hsm {
namespace {

constexpr std::string_view kGetAttribute = "C_GetAttributeValue";
constexpr std::string_view kWrapKey = "C_WrapKey";
constexpr std::array kCalls = {kGetAttribute, kWrapKey, std::string_view("C_SetAttributeValue"),
                               std::string_view("C_CopyObject")};

// For: this key is not given out. Other refusals may be about the mechanism or its parameter.
constexpr std::array kAboutTheKey = {CKR_KEY_UNEXTRACTABLE, CKR_KEY_NOT_WRAPPABLE, CKR_ATTRIBUTE_SENSITIVE,
                                     CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_ACTION_PROHIBITED};

bool is_about_the_key(const ProbeAttempt& attempt) {
  return attempt.outcome == ProbeOutcome::refused &&
         std::ranges::find(kAboutTheKey, attempt.code) != kAboutTheKey.end();
}

bool was_tried(const ProbeAttempt& attempt) { return attempt.outcome != ProbeOutcome::not_tried; }

// What is missing for "keeps its keys"; "" when nothing is.
std::string what_is_missing(const AlgorithmProbe& probe) {
  for (const ProbeAttempt& attempt : probe.attempts) {
    if (attempt.outcome == ProbeOutcome::failed) return "says nothing of the key: " + sentence(attempt);
  }
  for (const std::string_view call : kCalls) {
    const auto is_of_call = [&](const ProbeAttempt& attempt) { return attempt.call == call; };
    const auto tried = [&](const ProbeAttempt& attempt) { return is_of_call(attempt) && was_tried(attempt); };
    const bool offered = call != kWrapKey || std::ranges::any_of(probe.attempts, is_of_call);
    if (offered && std::ranges::none_of(probe.attempts, tried)) return std::string(call) + " could not be tried";
    if (call == kWrapKey && offered && std::ranges::none_of(probe.attempts, [&](const ProbeAttempt& attempt) {
          return is_of_call(attempt) && is_about_the_key(attempt);
        })) {
      return "no refusal of C_WrapKey is about the key";
    }
  }
  return "";
}

std::string text_of(const Error& error) {
  std::string text = error.details().empty() ? error.what() : error.details().front();
  if (!error.cause().empty()) text += " (" + error.cause() + ")";
  return text;
}

// Not by reference: work in the token may outlive who asked for it.
using SharedRsaKey = std::shared_future<std::shared_ptr<const SoftwareRsaKey>>;

AlgorithmProbe probe_one(const std::shared_ptr<TokenImpl>& token, KeyAlgorithm algorithm, const SharedRsaKey& rsa,
                         Deadline deadline, const std::stop_token& stop) {
  deadline = std::min(deadline, deadline_in(kLongestProbe));
  AlgorithmProbe probed;
  probed.algorithm = algorithm;
  try {
    if (stop.stop_requested()) throw Error(ErrorKind::session_timeout, {"interrupted"});
    const KeyRequest request{probe_key_id(system_now_millis()), algorithm, true, std::string(kProbeLabel)};
    const auto mismatch = std::make_shared<std::string>();
    // Not kept: destroyed as the key of any request that fails.
    const GeneratedKey made = generate_key(token, request, deadline, [request, mismatch](const MadeKey& key) {
      if (const auto found = first_mismatch(request, key.attributes)) *mismatch = found->sentence;
    });
    probed.mismatch = *mismatch;
    probed.attempts =
        token->pool().run(JobKind::generation, deadline,
                          [impl = token.get(), object = token->objects().of(request.id), algorithm,
                           public_key = made.key()->public_key(), known = rsa.get(), stop](Session& session) {
                            return probe_in_session(session, *impl, *object, algorithm, public_key, *known, stop);
                          });
    conclude(probed);
  } catch (const Error& error) {
    probed.reason = text_of(error);
  }
  return probed;
}

// Those of a probe that was killed: this process made none of them, or has given them up.
void destroy_left_over(TokenImpl& token, Deadline deadline) {
  try {
    const std::vector<Uuid> ids = token.pool().run(
        JobKind::quick, deadline, [](Session& session) { return ids_of_private_keys(session, kProbeLabel); });
    const UnixMillis oldest = system_now_millis() - kProbeLeftOver;
    for (const Uuid& id : ids) {
      const std::optional<UnixMillis> made = time_of(id);
      if (!made || *made > oldest) continue;
      log::warning("key of a probe that did not end", {{"id", id.to_string()}});
      token.discard(id);
    }
  } catch (const std::exception& error) {
    log::warning("keys of earlier probes cannot be looked for", {{"cause", error.what()}});
  }
}

}  // namespace

std::string_view to_string(ProbeOutcome outcome) noexcept {
  switch (outcome) {
    case ProbeOutcome::refused: return "refused";
    case ProbeOutcome::unchanged: return "nothing changed";
    case ProbeOutcome::leaked: return "LEAKED";
    case ProbeOutcome::failed: return "failed";
    case ProbeOutcome::not_tried: return "not tried";
  }
  return "";
}

std::string_view to_string(ProbeVerdict verdict) noexcept {
  switch (verdict) {
    case ProbeVerdict::keeps_keys: return "keeps its keys";
    case ProbeVerdict::gives_keys_out: return "does not keep its keys";
    case ProbeVerdict::inconclusive: return "inconclusive";
  }
  return "";
}

ProbeVerdict ProbeResult::verdict() const noexcept {
  const auto has = [&](ProbeVerdict verdict) {
    return std::ranges::find(algorithms, verdict, &AlgorithmProbe::verdict) != algorithms.end();
  };
  if (has(ProbeVerdict::gives_keys_out)) return ProbeVerdict::gives_keys_out;
  return algorithms.empty() || has(ProbeVerdict::inconclusive) ? ProbeVerdict::inconclusive : ProbeVerdict::keeps_keys;
}

void conclude(AlgorithmProbe& probe) {
  const bool leaked =
      std::ranges::find(probe.attempts, ProbeOutcome::leaked, &ProbeAttempt::outcome) != probe.attempts.end();
  probe.reason = leaked ? "" : what_is_missing(probe);
  probe.verdict = leaked                 ? ProbeVerdict::gives_keys_out
                  : probe.reason.empty() ? ProbeVerdict::keeps_keys
                                         : ProbeVerdict::inconclusive;
}

std::string sentence(const ProbeAttempt& attempt) {
  std::string text = attempt.call + " " + attempt.detail + ": ";
  if (was_tried(attempt)) text += attempt.code_name + " ";
  text += "(" + std::string(to_string(attempt.outcome)) + ")";
  return attempt.remark.empty() ? text : text + ", " + attempt.remark;
}

std::vector<std::string> wrappings_not_tried(const ProbeResult& result) {
  std::vector<std::string> names;
  for (const AlgorithmProbe& probe : result.algorithms) {
    for (const ProbeAttempt& attempt : probe.attempts) {
      if (attempt.call != kWrapKey || was_tried(attempt)) continue;
      if (std::ranges::find(names, attempt.detail) == names.end()) names.push_back(attempt.detail);
    }
  }
  return names;
}

std::string codes_of(const AlgorithmProbe& probe) {
  std::vector<std::string> told;
  std::string text;
  for (const ProbeAttempt& attempt : probe.attempts) {
    if (!was_tried(attempt)) continue;
    std::string part = attempt.call + " " + attempt.code_name;
    if (std::ranges::find(told, part) != told.end()) continue;
    text += (text.empty() ? "" : ", ") + part;
    told.push_back(std::move(part));
  }
  return text;
}

ProbeResult Token::probe(std::span<const KeyAlgorithm> algorithms, Deadline deadline, std::stop_token stop) {
  destroy_left_over(*impl_, deadline);
  // Under this one, whose private half stands here, keys are wrapped that fit. It is made while the token makes the
  // first key, as a server waits for this at its start.
  const SharedRsaKey rsa = std::async(std::launch::async, [] { return std::make_shared<const SoftwareRsaKey>(); });
  ProbeResult result;
  for (const KeyAlgorithm algorithm : algorithms) {
    if (can_generate(algorithm)) result.algorithms.push_back(probe_one(impl_, algorithm, rsa, deadline, stop));
  }
  impl_->sweep();
  return result;
}

}  // namespace hsmsigner::hsm
