// The one table of settings. What is read, checked, shown and documented follows from its rows (settings_reader.cc,
// settings_text.cc).
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/settings.h"

namespace hsmsigner::app {

// What is wrong with a value, to be read after the setting's name ("must be a whole number"); nothing when it was
// taken. Never repeats the value: it might be a PIN in the wrong place.
using Fault = std::optional<std::string>;

// How one type of value is read and written; the rest of a Setting is the same for all of them.
struct Kind {
  std::function<Fault(Settings&, const toml::node&)> read;
  std::function<std::string(const Settings&)> write;  // as TOML
  std::optional<std::pair<std::int64_t, std::int64_t>> range;
  std::vector<std::string> choices;
  std::function<std::string&(Settings&)> path;  // set when the value is a path, which may be relative
};

struct Setting {
  std::string_view table;
  std::string_view key;
  Kind kind;
  std::string_view doc;  // lines joined by '\n'

  std::string name() const { return std::string(table) + "." + std::string(key); }
};

// The table that may be there several times. Its rows reach the first of Settings::tokens; the readers hand them each
// token in turn, in Settings of its own.
inline constexpr std::string_view kRepeatedTable = "token";

// In the order of the sample; a table's settings stand together.
const std::vector<Setting>& settings_table();

// The tables in that order, each once.
std::vector<std::string> table_names();

// The settings, with this one of the tokens for the only one.
Settings only_token(const Settings& settings, std::size_t place);

// Text as a TOML string.
std::string toml_quoted(const std::string& text);

}  // namespace hsmsigner::app
