// Reads parsed TOML into Settings by the table of settings, and gathers what is wrong with it.
#pragma once

#include <toml++/toml.h>

#include <string>
#include <vector>

#include "app/settings.h"

namespace hsmsigner::app {

// What the file sets goes to `settings`, which holds the defaults; relative paths are left as they stand. Returns every
// fault as a sentence that begins with the setting's name; none repeats a value.
std::vector<std::string> read_settings(const toml::table& root, Settings& settings);

}  // namespace hsmsigner::app
