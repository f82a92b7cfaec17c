// `hsm-signer token ...`: initialise, list and show tokens.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "app/settings.h"
#include "base/secret.h"

namespace hsmsigner::app {

// Where one PIN comes from, as read_pin() takes it.
struct PinOrigin {
  std::string file;
  std::string env;
};

struct TokenInitOptions {
  std::string module_path;
  std::string label;
  std::string serial;  // empty: the first token that is not initialised
  bool erase = false;
  PinOrigin so_pin;
  PinOrigin user_pin;
};

// All of them write what they found or did to `out` and throw Error otherwise.
void init_token(const TokenInitOptions& options, std::ostream& out);
void list_tokens(const std::string& module_path, std::ostream& out);
// Each of the configured tokens.
void show_token(const Settings& settings, std::vector<Secret> pins, std::ostream& out);

}  // namespace hsmsigner::app
