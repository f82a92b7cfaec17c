// What a program leaves behind in its sessions: only a session of the same process sees it.
#pragma once

#include <cstddef>

#include "hsm/token.h"

namespace hsm_contract {

// Counted by a session of its own on a token that the product holds open, and is logged in to.
std::size_t count_session_objects(const hsmsigner::hsm::TokenOptions& options);

}  // namespace hsm_contract
