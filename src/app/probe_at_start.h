// Before the server serves: does the token keep the keys it must not give out?
#pragma once

#include <string>
#include <vector>

#include "audit/key_evidence.h"
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

// "CKM_DES_CBC, mechanism 0x80000001": what the token offers for wrapping and was not tried; "" when there is nothing.
std::string not_tried(const hsm::ProbeResult& result);

// By which accept_leaking_token names a token: its serial number, or "manufacturer/model/label" when it has none, as
// any token may have any label.
std::string name_to_accept(const hsm::TokenInfo& token);

// Probes one algorithm of each family, logs what was found and writes token_probed to the journal. Throws
// Error{token_unavailable}, with what was found and how to go on, unless the token keeps its keys or is the one that
// `accepted` names; Error{journal_unavailable}: then the server must not serve. `table` is how settings call the token:
// "token", "token[2]". Returns what evidence has to say of it.
audit::KeyEvidence::Probe probe_at_start(hsm::Token& token, const std::string& table, const std::string& accepted,
                                         store::JournalStore& journal, Deadline deadline);

}  // namespace hsmsigner::app
