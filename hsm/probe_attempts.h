// The attempts of a probe at one key, in one session. Run on a worker.
#pragma once

#include <stop_token>
#include <vector>

#include "base/signer.h"
#include "hsm/probe.h"
#include "hsm/probe_proof.h"
#include "hsm/session.h"
#include "hsm/token_impl.h"

namespace hsmsigner::hsm {

// Reads, wraps, sets and copies; a return code of these is a finding, never a CkFailure. A copy that the token makes is
// tried likewise, and destroyed by the rules of orphans. Throws CkFailure when the key cannot be found, and Error, also
// when it is asked to stop.
std::vector<ProbeAttempt> probe_in_session(Session& session, TokenImpl& token, KeyObject& object,
                                           KeyAlgorithm algorithm, const PublicKey& public_key,
                                           const SoftwareRsaKey& rsa, const std::stop_token& stop);

}  // namespace hsmsigner::hsm
