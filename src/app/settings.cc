#include "app/settings.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/settings_reader.h"
#include "app/settings_table.h"
#include "base/error.h"

namespace hsmsigner::app {
namespace {

namespace fs = std::filesystem;

std::string read_text(const std::string& file) {
  const auto refuse = [&](const std::string& cause) {
    return Error(ErrorKind::invalid_object, {"the configuration file cannot be read"}).with_cause(file + ": " + cause);
  };
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) throw refuse("is a directory");
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) throw refuse(std::strerror(errno));
  std::ostringstream content;
  content << in.rdbuf();
  if (in.bad()) throw refuse("read error");
  return content.str();
}

toml::table parse(const std::string& file) {
  const std::string content = read_text(file);
  try {
    return toml::parse(content, file);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    // Not the parser's own words: they quote the text they stumbled over, and that might be a PIN.
    throw Error(ErrorKind::invalid_object, {"line " + std::to_string(at.line) + ", column " +
                                            std::to_string(at.column) + ": this is not TOML (https://toml.io)"})
        .with_cause(file);
  }
}

}  // namespace

Settings default_settings() {
  Settings settings;
  settings.tokens.front().options.module_path = "/usr/lib/softhsm/libsofthsm2.so";
  settings.store.path = "hsm-signer.db";
  return settings;
}

Settings load_settings(const std::string& file) {
  const toml::table root = parse(file);
  Settings settings = default_settings();
  std::vector<std::string> faults = read_settings(root, settings);
  if (!faults.empty()) {
    throw Error(ErrorKind::invalid_object, std::move(faults))
        .with_help("every setting, with its meaning and default: hsm-signer config show --defaults");
  }
  const fs::path directory = fs::absolute(file).parent_path();
  const auto make_absolute = [&](const Setting& setting, Settings& of) {
    std::string& value = setting.kind.path(of);
    if (!value.empty()) value = (directory / value).lexically_normal().string();
  };
  for (const Setting& setting : settings_table()) {
    if (!setting.kind.path) continue;
    if (setting.table != kRepeatedTable) {
      make_absolute(setting, settings);
      continue;
    }
    for (std::size_t place = 0; place < settings.tokens.size(); ++place) {
      Settings one = only_token(settings, place);
      make_absolute(setting, one);
      settings.tokens[place] = std::move(one.tokens.front());
    }
  }
  return settings;
}

std::size_t Settings::service_token() const {
  const auto found =
      std::find_if(tokens.begin(), tokens.end(), [](const TokenSettings& token) { return token.holds.service; });
  return static_cast<std::size_t>(found - tokens.begin());
}

std::string Settings::token_name(std::size_t place) const {
  return std::string(kRepeatedTable) + (tokens.size() == 1 ? "" : "[" + std::to_string(place + 1) + "]");
}

}  // namespace hsmsigner::app
