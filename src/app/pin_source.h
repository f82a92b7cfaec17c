// Where the token's PIN comes from: a file, an environment variable or a prompt; never argv, never the TOML text.
#pragma once

#include <string>

#include "base/secret.h"

namespace hsmsigner::app {

// In this order: `file` when not empty (refused when group or others may read it; a final newline is dropped),
// the variable `env` when it is set (its memory is overwritten and the variable removed), a prompt without echo
// when standard input is a terminal. Throws Error{invalid_object} saying how to give it otherwise.
// Call before other threads start.
Secret read_pin(const std::string& file, const std::string& env, const std::string& prompt);

}  // namespace hsmsigner::app
