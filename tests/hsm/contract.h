// One suite for every token: what hsm/token.h promises, asked of whichever token it is given.
#pragma once

#include <string>

#include "hsm/token.h"

namespace hsm_contract {

struct Target {
  hsmsigner::hsm::TokenOptions options;
  std::string pin;
  bool exports = true;      // it has a mechanism that wraps private keys
  bool one_library = true;  // who asks the module for its functions twice gets the same ones, with the same login
};

// Runs every check with doctest's macros.
void check_contract(const Target& target);

}  // namespace hsm_contract
