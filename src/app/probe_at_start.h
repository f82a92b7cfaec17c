// Before the server serves: does the token keep the keys it must not give out?
#pragma once

#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/clock.h"
#include "hsm/probe.h"
#include "hsm/token.h"
#include "service/token_set.h"
#include "store/journal_store.h"

namespace hsmsigner::app {

// One algorithm of each family that the token generates: P-256 and RSA-2048, else the smallest that is not weak, else
// any.
std::vector<KeyAlgorithm> one_of_each_family(const hsm::Token& token);

// Of several tokens, those of each of them.
std::vector<KeyAlgorithm> one_of_each_family(const service::TokenSet& tokens);

// Probes one algorithm of each family, logs what was found and writes token_probed to the journal. Throws
// Error{token_unavailable}, with what was found and how to go on, unless the token keeps its keys or is the one that
// `accepted` names (service::name_of); Error{journal_unavailable}: then the server must not serve.
void probe_at_start(hsm::Token& token, const std::string& accepted, store::JournalStore& journal, Deadline deadline);

}  // namespace hsmsigner::app
