// `hsm-signer pool ...`: look at the pool of keys, and fill it.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>

#include "app/settings.h"
#include "base/key_class.h"
#include "base/secret.h"

namespace hsmsigner::app {

struct PoolFillOptions {
  std::string key_class;  // "P-256"
  std::size_t count = 0;
  std::string token;      // label or serial number; "": the only one, or the only one that holds leaves
  unsigned parallel = 0;  // keys made at one time; 0: as many as the settings let the token generate, at most 4
};

// Place of the token that `fill` is for. Throws Error{invalid_object} when it is not clear which, or is none of the
// configured.
std::size_t token_to_fill(const Settings& settings, const std::string& token);

// Makes keys in that token that belong to nobody: whichever server runs on this store takes them. How far it has come
// goes to `progress`, the outcome to `out`. SIGINT and SIGTERM end it in order. Returns how many were made; throws
// Error when none could be, or the token has no room for more.
std::size_t fill_pool(const Settings& settings, std::size_t place, Secret pin, const PoolFillOptions& options,
                      std::ostream& out, std::ostream& progress, bool terminal);

// A line for each class of keys made ahead in this token: how many there are, and the marks.
void show_pool_of_token(const Settings& settings, const std::string& token_serial, std::ostream& out);

// Takes all keys out of the pool and leaves them in the token: for a store restored from a backup, of which keys may
// have certificates by now that it does not know. No server may run. Needs no token and no PIN.
std::size_t forget_pool(const Settings& settings, std::ostream& out);

// Classes, marks and numbers. Needs no token and no PIN. Tokens are told by their serial number.
void show_pool(const Settings& settings, std::ostream& out);

}  // namespace hsmsigner::app
