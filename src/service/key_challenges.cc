#include "service/key_challenges.h"

#include <algorithm>
#include <random>

#include "base/algorithm.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/signature.h"

namespace hsmsigner::service {
namespace {

constexpr std::string_view kChallengePrefix = "hsm-signer compliance report challenge\n";
constexpr std::size_t kChallengeOctets = 32;
constexpr std::chrono::seconds kOneSignature{10};

// In no order that a caller can foresee. Not a secret: the generator's seed only has to differ.
void shuffle(std::vector<ChallengeableKey>& keys, hsm::Token& token, Deadline deadline) {
  const Bytes octets = token.random(8, deadline);
  std::seed_seq seed(octets.begin(), octets.end());
  std::mt19937_64 generator(seed);
  std::ranges::shuffle(keys, generator);
}

// Why the key does not answer; "" when it does.
std::string fault_of(hsm::Token& token, const ChallengeableKey& key, Deadline deadline) {
  const Bytes digest = challenge_digest(token, deadline);
  Bytes signature;
  try {
    signature = token.key(key.id, key.public_key)
                    ->sign(kChallengeDigest, digest, std::min(deadline, deadline_in(kOneSignature)));
  } catch (const Error& error) {
    if (!is_fault_of_key(error, deadline)) throw;
    return "it did not sign: " + std::string(to_string(error.kind()));
  }
  return crypto::verifies(key.public_key, kChallengeDigest, digest, signature)
             ? ""
             : "its signature does not verify under the certificate";
}

}  // namespace

Bytes challenge_digest(hsm::Token& token, Deadline deadline) {
  Bytes challenge(kChallengePrefix.begin(), kChallengePrefix.end());
  const Bytes fresh = token.random(kChallengeOctets, deadline);
  challenge.insert(challenge.end(), fresh.begin(), fresh.end());
  return crypto::hash(kChallengeDigest, challenge);
}

bool is_fault_of_key(const Error& error, Deadline deadline) noexcept {
  switch (error.kind()) {
    case ErrorKind::token_unavailable:
    case ErrorKind::too_many_requests: return false;
    case ErrorKind::session_timeout: return std::chrono::steady_clock::now() <= deadline;
    default: return true;
  }
}

ChallengeResult challenge(const TokenSet& tokens, std::vector<ChallengeableKey> keys, std::size_t most,
                          const std::function<void(std::size_t done, std::size_t all)>& progress, Deadline deadline) {
  ChallengeResult result;
  result.facts.eligible = keys.size();
  result.facts.sampled = most < keys.size();
  if (result.facts.sampled) {
    shuffle(keys, tokens.for_service(), deadline);
    keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(most), keys.end());
  }
  for (ChallengeableKey& key : keys) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(ErrorKind::session_timeout, {"there are more keys than could be challenged in time"});
    }
    ++result.facts.challenged;
    std::string fault = fault_of(tokens.all()[key.token].token, key, deadline);
    if (fault.empty()) {
      ++result.facts.answered;
    } else {
      result.failed.push_back({std::move(key), std::move(fault)});
    }
    if (progress) progress(result.facts.challenged, keys.size());
  }
  return result;
}

}  // namespace hsmsigner::service
