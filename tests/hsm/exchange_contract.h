// The part of the contract suite that moves keys into a token and out of it.
#pragma once

#include "contract.h"

namespace hsm_contract {

void check_exchange(hsmsigner::hsm::Token& token, const Target& target);

}  // namespace hsm_contract
