// Whether keys answer under their certificates, for the compliance report. Private to this room.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "report/model.h"
#include "service/key_inventory.h"

namespace hsmsigner::service {

struct FailedChallenge {
  ChallengeableKey key;
  std::string why;
};

struct ChallengeResult {
  report::Challenges facts;
  std::vector<FailedChallenge> failed;
};

// Has up to `most` of the keys, drawn at random, sign SHA-256 of a fixed text and 32 octets of its token's
// generator, so that a signature made for this can be taken for no other. Throws Error{session_timeout} past the
// deadline, and what random() throws; a key that does not sign is a finding.
ChallengeResult challenge(const TokenSet& tokens, std::vector<ChallengeableKey> keys, std::size_t most,
                          const std::function<void(std::size_t done, std::size_t all)>& progress, Deadline deadline);

}  // namespace hsmsigner::service
