#include "app/settings_reader.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

#include "api/http_server.h"
#include "app/settings_table.h"

namespace hsmsigner::app {
namespace {

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
    const toml::array* const several = repeated(root);
    if (several != nullptr) settings_.tokens.resize(several->size(), settings_.tokens.front());
    refuse_unknown(root);
    for (const Setting& setting : settings_table()) {
      if (several != nullptr && setting.table == kRepeatedTable) continue;
      if (const toml::node* const node = root[setting.table][setting.key].node()) {
        read_one(settings_, setting, *node, setting.name());
      }
    }
    for (std::size_t place = 0; several != nullptr && place < several->size(); ++place) {
      Settings one = only_token(settings_, place);
      for (const Setting& setting : settings_table()) {
        if (setting.table != kRepeatedTable) continue;
        const toml::node* const node = several->get_as<toml::table>(place)->get(setting.key);
        if (node != nullptr)
          read_one(one, setting, *node, settings_.token_name(place) + "." + std::string(setting.key));
      }
      settings_.tokens[place] = std::move(one.tokens.front());
    }
  }

  // What no single setting can say.
  void check_together() {
    for (std::size_t place = 0; place < settings_.tokens.size(); ++place) check_selector(place);
    check_uses();
    check_pins();
    check_tls();
  }

  const std::vector<std::string>& faults() const { return faults_; }

 private:
  // [[token]], if it is written so.
  static const toml::array* repeated(const toml::table& root) {
    const toml::array* const list = root.get_as<toml::array>(kRepeatedTable);
    return list != nullptr && list->is_array_of_tables() && list->size() <= kMostTokens ? list : nullptr;
  }

  void read_one(Settings& settings, const Setting& setting, const toml::node& node, const std::string& name) {
    if (const Fault fault = setting.kind.read(settings, node)) faults_.push_back(name + place_of(node) + ": " + *fault);
  }

  void check_selector(std::size_t place) {
    const std::string name = settings_.token_name(place);
    const auto is_of = [&](const std::string& fault, const char* key) { return fault.starts_with(name + key); };
    const bool told = std::any_of(faults_.begin(), faults_.end(), [&](const std::string& fault) {
      return is_of(fault, ".label ") || is_of(fault, ".serial ");
    });
    const hsm::TokenOptions& token = settings_.tokens[place].options;
    if (!told && token.selector.label.empty() && token.selector.serial.empty()) {
      faults_.push_back(name + ".label or " + name + ".serial must be set, to tell which token is meant");
      return;
    }
    for (std::size_t before = 0; before < place && !told; ++before) {
      const hsm::TokenOptions& other = settings_.tokens[before].options;
      if (other.module_path == token.module_path && other.selector.label == token.selector.label &&
          other.selector.serial == token.selector.serial) {
        faults_.push_back(name + " is the same token as " + settings_.token_name(before) +
                          "; set the serial numbers if several have this label");
        return;
      }
    }
  }

  void check_uses() {
    const bool told = std::any_of(faults_.begin(), faults_.end(), [](const std::string& fault) {
      return fault.starts_with(kRepeatedTable) && fault.find(".holds (") != std::string::npos;
    });
    if (told) return;
    const auto count = [&](bool service::TokenUses::*use) {
      return std::count_if(settings_.tokens.begin(), settings_.tokens.end(),
                           [use](const TokenSettings& token) { return token.holds.*use; });
    };
    const bool several = settings_.tokens.size() > 1;
    const std::string nobody = several ? "token.holds: no token holds " : "token.holds: the only token must hold ";
    if (count(&service::TokenUses::authorities) == 0) faults_.push_back(nobody + "\"authorities\"");
    if (count(&service::TokenUses::leaves) == 0) faults_.push_back(nobody + "\"leaves\"");
    if (count(&service::TokenUses::service) == 0) faults_.push_back(nobody + "\"service\"");
    if (count(&service::TokenUses::service) > 1) {
      faults_.emplace_back(
          "token.holds: several tokens hold \"service\", and only one may; tokens without this setting hold all three");
    }
  }

  // Whoever reads a variable takes it away. And a PIN that was meant for another token may lock this one.
  void check_pins() {
    for (std::size_t place = 1; place < settings_.tokens.size(); ++place) {
      const TokenSettings& token = settings_.tokens[place];
      if (!token.pin_file.empty() || token.pin_env.empty()) continue;
      for (std::size_t before = 0; before < place; ++before) {
        const TokenSettings& other = settings_.tokens[before];
        if (!other.pin_file.empty() || other.pin_env != token.pin_env) continue;
        faults_.push_back(settings_.token_name(place) + ".pin_env: " + settings_.token_name(before) +
                          " takes its PIN from this variable too; give each token a pin_file or a pin_env of its own, "
                          "or set pin_env = \"\" to be asked for both");
        break;
      }
    }
  }

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
        refuse_unknown_in(name, name, *node.as_table());
      } else if (name == kRepeatedTable && repeated(root) != nullptr) {
        for (std::size_t place = 0; place < settings_.tokens.size(); ++place) {
          refuse_unknown_in(name, settings_.token_name(place), *repeated(root)->get_as<toml::table>(place));
        }
      } else if (name == kRepeatedTable && node.is_array()) {
        faults_.push_back(name + place_of(node) + ": must be a table, written [" + name + "], or from 1 to " +
                          std::to_string(kMostTokens) + " of them, each written [[" + name + "]]");
        for (const toml::node& each : *node.as_array()) {
          if (const toml::table* const inner = each.as_table()) refuse_pins_in(*inner, name + ".");
        }
      } else if (known) {
        faults_.push_back(name + place_of(node) + ": must be a table, written [" + name + "]");
      } else {
        refuse(name, node, node.is_table() ? "table" : "setting", tables, "");
      }
    }
  }

  // `shown`: what a fault calls the table.
  void refuse_unknown_in(const std::string& table, const std::string& shown, const toml::table& content) {
    const std::vector<std::string> keys = keys_of(table);
    for (const auto& [key, node] : content) {
      const std::string name(key.str());
      if (std::find(keys.begin(), keys.end(), name) == keys.end()) refuse(name, node, "setting", keys, shown + ".");
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

}  // namespace

std::vector<std::string> read_settings(const toml::table& root, Settings& settings) {
  Reader reader(settings);
  reader.read(root);
  reader.check_together();
  return reader.faults();
}

}  // namespace hsmsigner::app
