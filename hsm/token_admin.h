// What is done to tokens from the command line, outside of a running server: listing and initialising.
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "hsm/token.h"

namespace hsmsigner::hsm {

// A token as its slot shows it; blanks trimmed.
struct TokenListing {
  unsigned long slot_id = 0;  // informative: it changes
  std::string label;          // empty for a token not yet initialised
  std::string serial;
  std::string manufacturer;
  std::string model;
  bool initialized = false;
  bool user_pin_set = false;
  bool user_pin_locked = false;
};

// Every slot with a token in it. Throws Error{token_unavailable} when the module cannot be loaded.
std::vector<TokenListing> list_tokens(const std::string& module_path);

// Initialises a token (C_InitToken, then C_InitPIN) and gives it `label` (1-32 octets). Takes the token whose
// serial is given, else the first uninitialised one. An initialised token is refused unless `erase` is set: that
// destroys every key in it. Throws Error{invalid_object} for a label in use, Error{token_unavailable} otherwise.
TokenListing init_token(const std::string& module_path, const std::string& serial, const std::string& label,
                        const Secret& so_pin, const Secret& user_pin, bool erase);

}  // namespace hsmsigner::hsm
