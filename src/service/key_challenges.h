// Whether keys answer under their certificates, for the compliance report. Private to this room.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "hsm/token.h"
#include "report/model.h"
#include "service/key_inventory.h"

namespace hsmsigner::service {

// With which challenges are signed. Every key of a size that anybody uses can: RSA from 496 bits (RFC 8017 9.2).
inline constexpr Digest kChallengeDigest = Digest::sha256;
// Of a fixed text and 32 octets of the token's generator, so that a signature made for this can be taken for no other.
Bytes challenge_digest(hsm::Token& token, Deadline deadline);
// Whether what signing threw says something of the key: not of the token as a whole, nor of time.
bool is_fault_of_key(const Error& error, Deadline deadline) noexcept;

struct FailedChallenge {
  ChallengeableKey key;
  std::string why;
};

struct ChallengeResult {
  report::Challenges facts;
  std::vector<FailedChallenge> failed;
};

// Has up to `most` of the keys, drawn at random, sign a challenge of their token's. Throws Error{session_timeout} past
// the deadline, and what random() throws; a key that does not sign is a finding.
ChallengeResult challenge(const TokenSet& tokens, std::vector<ChallengeableKey> keys, std::size_t most,
                          const std::function<void(std::size_t done, std::size_t all)>& progress, Deadline deadline);

}  // namespace hsmsigner::service
