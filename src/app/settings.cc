#include "app/settings.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

#include "app/settings_table.h"
#include "base/error.h"

namespace hsmsigner::app {
namespace {

namespace fs = std::filesystem;

// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// The nearest known name when it is near enough to be a slip of the finger.
std::optional<std::string> nearest(const std::string& wrong, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  std::size_t least = 3;
  for (const std::string& name : known) {
    const std::size_t steps = distance(wrong, name);
    if (steps < least && steps < name.size()) {
      least = steps;
      best = name;
    }
  }
  return best;
}

std::vector<std::string> table_names() {
  std::vector<std::string> names;
  for (const Setting& setting : settings_table()) {
    if (std::find(names.begin(), names.end(), setting.table) == names.end()) names.emplace_back(setting.table);
  }
  return names;
}

std::vector<std::string> keys_of(std::string_view table) {
  std::vector<std::string> keys;
  for (const Setting& setting : settings_table()) {
    if (setting.table == table) keys.emplace_back(setting.key);
  }
  return keys;
}

// "pin", "so_pin", "UserPIN", "pin-value", "password": a name that promises a PIN's text.
bool promises_a_pin(std::string_view key) {
  std::string name;
  for (const char c : key) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return name.starts_with("pin") || name.ends_with("pin") || name.find("password") != std::string::npos ||
         name.find("passphrase") != std::string::npos;
}

std::string place_of(const toml::node& node) { return " (line " + std::to_string(node.source().begin.line) + ")"; }

std::string pin_fault(const std::string& name, const toml::node& node) {
  return name + place_of(node) +
         ": the PIN is never read from the configuration file; remove its text from the file, and give it through "
         "token.pin_file or token.pin_env";
}

class Reader {
 public:
  explicit Reader(Settings& settings) : settings_(settings) {}

  void read(const toml::table& root) {
    refuse_unknown(root);
    for (const Setting& setting : settings_table()) {
      const toml::node* node = root[setting.table][setting.key].node();
      if (node == nullptr) continue;
      if (const Fault fault = setting.kind.read(settings_, *node)) {
        faults_.push_back(setting.name() + place_of(*node) + ": " + *fault);
      }
    }
  }

  // What no single setting can say.
  void check_together() {
    const bool told = std::any_of(faults_.begin(), faults_.end(), [](const std::string& fault) {
      return fault.starts_with("token.label ") || fault.starts_with("token.serial ");
    });
    if (!told && settings_.token.selector.label.empty() && settings_.token.selector.serial.empty()) {
      faults_.emplace_back("token.label or token.serial must be set, to tell which token is meant");
    }
    check_tls();
  }

  const std::vector<std::string>& faults() const { return faults_; }

 private:
  void check_tls() {
    const TlsSettings& tls = settings_.tls;
    if (tls.certificate_file.empty() != tls.key_file.empty()) {
      faults_.emplace_back(tls.key_file.empty() ? "tls.key_file must be set too, to the key of tls.certificate_file"
                                                : "tls.certificate_file must be set too, to the certificate of "
                                                  "tls.key_file");
    }
    if (!tls.certificate.empty() && !(tls.certificate_file.empty() && tls.key_file.empty())) {
      faults_.emplace_back(
          "tls.certificate must not be set beside tls.certificate_file and tls.key_file: it is one or the other");
    }
    const bool asks = tls.client_certificate != tls::ClientCertificate::off;
    if (asks && !tls.configured()) {
      faults_.emplace_back(
          "tls.client_certificate needs TLS: set tls.certificate_file and tls.key_file, or tls.certificate");
    }
    if (asks && tls.client_ca_file.empty()) {
      faults_.emplace_back("tls.client_ca_file must be set, to tell whose client certificates are taken");
    }
    if (!asks && !tls.client_ca_file.empty()) {
      faults_.emplace_back(
          "tls.client_ca_file has no effect as long as tls.client_certificate is \"off\"; set that to \"optional\" or "
          "\"required\"");
    }
    if (const auto fault = api::fault_of_listen_address(settings_.server.address, tls.configured())) {
      faults_.push_back("server.address: " + *fault);
    }
  }

  void refuse_unknown(const toml::table& root) {
    const std::vector<std::string> tables = table_names();
    for (const auto& [key, node] : root) {
      const std::string name(key.str());
      const bool known = std::find(tables.begin(), tables.end(), name) != tables.end();
      if (known && node.is_table()) {
        refuse_unknown_in(name, *node.as_table());
      } else if (known) {
        faults_.push_back(name + place_of(node) + ": must be a table, written [" + name + "]");
      } else {
        refuse(name, node, node.is_table() ? "table" : "setting", tables, "");
      }
    }
  }

  void refuse_unknown_in(const std::string& table, const toml::table& content) {
    const std::vector<std::string> keys = keys_of(table);
    for (const auto& [key, node] : content) {
      const std::string name(key.str());
      if (std::find(keys.begin(), keys.end(), name) == keys.end()) refuse(name, node, "setting", keys, table + ".");
    }
  }

  void refuse(const std::string& key, const toml::node& node, const char* what,
              const std::vector<std::string>& candidates, const std::string& prefix) {
    const std::optional<std::string> meant = nearest(key, candidates);
    if (!meant && promises_a_pin(key)) {
      faults_.push_back(pin_fault(prefix + key, node));
      return;
    }
    faults_.push_back(prefix + key + place_of(node) + ": unknown " + what +
                      (meant ? "; did you mean " + prefix + *meant + "?" : ""));
    if (const toml::table* inner = node.as_table()) refuse_pins_in(*inner, prefix + key + ".");
  }

  // A PIN under a table's mistyped name is still a PIN in the file.
  void refuse_pins_in(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (const toml::table* inner = node.as_table()) {
        refuse_pins_in(*inner, prefix + name + ".");
      } else if (name != "pin_file" && name != "pin_env" && promises_a_pin(name)) {
        faults_.push_back(pin_fault(prefix + name, node));
      }
    }
  }

  Settings& settings_;
  std::vector<std::string> faults_;
};

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

void write_lines(std::string& out, std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    out += "# " + std::string(lines.substr(0, end)) + "\n";
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

std::string limits_of(const Kind& kind) {
  if (kind.range) {
    return "From " + std::to_string(kind.range->first) + " to " + std::to_string(kind.range->second) + ".";
  }
  std::string list;
  for (const std::string& choice : kind.choices) list += (list.empty() ? "One of " : ", ") + toml_quoted(choice);
  return list.empty() ? "" : list + ".";
}

}  // namespace

Settings default_settings() {
  Settings settings;
  settings.token.module_path = "/usr/lib/softhsm/libsofthsm2.so";
  settings.store.path = "hsm-signer.db";
  return settings;
}

std::vector<SettingInfo> setting_infos() {
  const Settings defaults = default_settings();
  std::vector<SettingInfo> infos;
  for (const Setting& setting : settings_table()) {
    infos.push_back(SettingInfo{std::string(setting.table), std::string(setting.key), setting.kind.write(defaults),
                                setting.kind.range, setting.kind.choices});
  }
  return infos;
}

Settings load_settings(const std::string& file) {
  const toml::table root = parse(file);
  Settings settings = default_settings();
  Reader reader(settings);
  reader.read(root);
  reader.check_together();
  if (!reader.faults().empty()) {
    throw Error(ErrorKind::invalid_object, reader.faults())
        .with_help("every setting, with its meaning and default: hsm-signer config show --defaults");
  }
  const fs::path directory = fs::absolute(file).parent_path();
  for (const Setting& setting : settings_table()) {
    if (!setting.kind.path) continue;
    std::string& value = setting.kind.path(settings);
    if (!value.empty()) value = (directory / value).lexically_normal().string();
  }
  return settings;
}

std::string show_settings(const Settings& settings) {
  std::string out;
  std::string_view table;
  for (const Setting& setting : settings_table()) {
    if (setting.table != table) {
      table = setting.table;
      out += (out.empty() ? "[" : "\n[") + std::string(table) + "]\n";
    }
    out += std::string(setting.key) + " = " + setting.kind.write(settings) + "\n";
  }
  return out;
}

std::string sample_settings() {
  std::string out =
      "# hsm-signer: every setting with its meaning and default, as `hsm-signer config show --defaults` prints it.\n"
      "# Take the '#' from before a setting to change it. Relative paths are taken from this file's own directory.\n"
      "# `hsm-signer config check --config FILE` tells every fault of a file at once.\n";
  const Settings defaults = default_settings();
  std::string_view table;
  for (const Setting& setting : settings_table()) {
    if (setting.table != table) {
      table = setting.table;
      out += "\n[" + std::string(table) + "]\n";
    }
    out += "\n";
    write_lines(out, setting.doc);
    write_lines(out, limits_of(setting.kind));
    out += "#" + std::string(setting.key) + " = " + setting.kind.write(defaults) + "\n";
  }
  return out;
}

}  // namespace hsmsigner::app
