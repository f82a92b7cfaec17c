#include "app/settings.h"

#include <arpa/inet.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string_view>

#include "base/error.h"

namespace hsmsigner::app {
namespace {

namespace fs = std::filesystem;

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

std::string quoted(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

// The member is reached by a function, as a pointer to member cannot reach into a nested struct. It does not change
// what it is given.
template <typename T>
using Member = T& (*)(Settings&);

template <typename T>
const T& value_of(Member<T> member, const Settings& settings) {
  return member(const_cast<Settings&>(settings));
}

std::string range_fault(std::int64_t least, std::int64_t most) {
  return "must be from " + std::to_string(least) + " to " + std::to_string(most);
}

template <typename T>
Kind whole_number(Member<T> member, std::int64_t least, std::int64_t most) {
  return Kind{[=](Settings& settings, const toml::node& node) -> Fault {
                const auto* number = node.as_integer();
                if (number == nullptr) return "must be a whole number";
                if (number->get() < least || number->get() > most) return range_fault(least, most);
                member(settings) = static_cast<T>(number->get());
                return {};
              },
              [=](const Settings& settings) { return std::to_string(value_of(member, settings)); },
              std::pair(least, most),
              {},
              {}};
}

Kind milliseconds(Member<std::chrono::milliseconds> member, std::int64_t least, std::int64_t most) {
  return Kind{[=](Settings& settings, const toml::node& node) -> Fault {
                const auto* number = node.as_integer();
                if (number == nullptr) return "must be a whole number of milliseconds";
                if (number->get() < least || number->get() > most) return range_fault(least, most);
                member(settings) = std::chrono::milliseconds(number->get());
                return {};
              },
              [=](const Settings& settings) { return std::to_string(value_of(member, settings).count()); },
              std::pair(least, most),
              {},
              {}};
}

using TextRule = Fault (*)(const std::string&);

Kind text(Member<std::string> member, TextRule rule) {
  return Kind{[=](Settings& settings, const toml::node& node) -> Fault {
                const auto* value = node.as_string();
                if (value == nullptr) return "must be text in quotation marks";
                for (const char c : value->get()) {
                  if (std::iscntrl(static_cast<unsigned char>(c)) != 0) return "must not hold control characters";
                }
                if (Fault fault = rule(value->get())) return fault;
                member(settings) = value->get();
                return {};
              },
              [=](const Settings& settings) { return quoted(value_of(member, settings)); },
              {},
              {},
              {}};
}

Kind path(Member<std::string> member, TextRule rule) {
  Kind kind = text(member, rule);
  kind.path = member;
  return kind;
}

template <typename T>
Kind word(Member<T> member, std::vector<std::pair<std::string, T>> words) {
  std::vector<std::string> choices;
  std::string list;
  for (const auto& [name, unused] : words) {
    choices.push_back(name);
    list += (list.empty() ? "" : ", ") + quoted(name);
  }
  return Kind{[=](Settings& settings, const toml::node& node) -> Fault {
                const auto* value = node.as_string();
                const auto found = std::find_if(words.begin(), words.end(), [&](const auto& entry) {
                  return value != nullptr && entry.first == value->get();
                });
                if (found == words.end()) return "must be one of " + list;
                member(settings) = found->second;
                return {};
              },
              [=](const Settings& settings) {
                const auto found = std::find_if(words.begin(), words.end(), [&](const auto& entry) {
                  return entry.second == value_of(member, settings);
                });
                return quoted(found == words.end() ? std::string() : found->first);
              },
              {},
              choices,
              {}};
}

Fault anything(const std::string&) { return {}; }

Fault not_empty(const std::string& value) {
  if (value.empty()) return "must not be empty";
  return {};
}

// CK_TOKEN_INFO (PKCS#11 2.40 3.2): label is CK_UTF8CHAR[32], serialNumber CK_CHAR[16].
Fault token_label(const std::string& value) {
  if (value.size() > 32) return "must have at most 32 octets";
  return {};
}
Fault token_serial(const std::string& value) {
  if (value.size() > 16) return "must have at most 16 octets";
  return {};
}

Fault ip_address(const std::string& value) {
  in6_addr buffer{};
  if (inet_pton(AF_INET, value.c_str(), &buffer) == 1 || inet_pton(AF_INET6, value.c_str(), &buffer) == 1) return {};
  return "must be an IP address, such as \"127.0.0.1\" or \"::1\"";
}

Fault variable_name(const std::string& value) {
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  if (std::all_of(value.begin(), value.end(), fits) &&
      (value.empty() || std::isdigit(static_cast<unsigned char>(value.front())) == 0)) {
    return {};
  }
  return "must be the name of an environment variable (letters, digits and '_'), not a PIN";
}

constexpr std::int64_t kTenMinutes = 600000;

// The table. Its order is the order of the sample; a table's settings stand together.
const std::vector<Setting>& settings_table() {
  using Millis = std::chrono::milliseconds;
  static const std::vector<Setting> table = {
      {"server", "address", text([](Settings& s) -> std::string& { return s.server.address; }, ip_address),
       "IP address to listen on. Callers are not authenticated yet, so anything but loopback is refused."},
      {"server", "port", whole_number<int>([](Settings& s) -> int& { return s.server.port; }, 0, 65535),
       "TCP port; 0 takes any free one, which the line `ready http://...` then names."},
      {"server", "max_connections",
       whole_number<std::size_t>([](Settings& s) -> std::size_t& { return s.server.max_connections; }, 1, 10000),
       "Connections open at one time; each has a thread while it is open."},
      {"server", "max_body_bytes",
       whole_number<std::size_t>([](Settings& s) -> std::size_t& { return s.server.max_body_bytes; }, 1024, 67108864),
       "Longest request body, in octets."},
      {"server", "read_timeout_ms",
       milliseconds([](Settings& s) -> Millis& { return s.server.read_timeout; }, 100, kTenMinutes),
       "Milliseconds to wait for the next octets of a request under way."},
      {"server", "write_timeout_ms",
       milliseconds([](Settings& s) -> Millis& { return s.server.write_timeout; }, 100, kTenMinutes),
       "Milliseconds to wait for a caller to take the next octets of its answer."},
      {"server", "keep_alive_timeout_ms",
       milliseconds([](Settings& s) -> Millis& { return s.server.keep_alive_timeout; }, 100, kTenMinutes),
       "Milliseconds that an idle connection is kept for its next request."},
      {"server", "request_timeout_ms",
       milliseconds([](Settings& s) -> Millis& { return s.server.request_timeout; }, 100, kTenMinutes),
       "Milliseconds that the token and the store have for one request, from the moment its body is read."},

      {"token", "module", path([](Settings& s) -> std::string& { return s.token.module_path; }, not_empty),
       "The PKCS#11 module: the shared library that came with the token."},
      {"token", "label", text([](Settings& s) -> std::string& { return s.token.selector.label; }, token_label),
       "The token's label. This or the serial number is needed; both must match when both are given.\n"
       "`hsm-signer token list` shows them."},
      {"token", "serial", text([](Settings& s) -> std::string& { return s.token.selector.serial; }, token_serial),
       "The token's serial number, as the token writes it."},
      {"token", "pin_file", path([](Settings& s) -> std::string& { return s.pin_file; }, anything),
       "File with the user PIN on its only line, readable by its owner alone (mode 0600). Empty: none.\n"
       "The PIN itself never stands in this file."},
      {"token", "pin_env", text([](Settings& s) -> std::string& { return s.pin_env; }, variable_name),
       "Environment variable with the user PIN, read when there is no pin_file, then overwritten and removed.\n"
       "With neither, the PIN is asked for on the terminal."},
      {"token", "sessions", whole_number<unsigned>([](Settings& s) -> unsigned& { return s.token.sessions; }, 1, 256),
       "Sessions to work in, each with a thread; lowered to what the token allows."},
      {"token", "parallel_generations",
       whole_number<unsigned>([](Settings& s) -> unsigned& { return s.token.parallel_generations; }, 1, 256),
       "How many of the sessions may generate a key at one time."},
      {"token", "queue_limit",
       whole_number<std::size_t>([](Settings& s) -> std::size_t& { return s.token.queue_limit; }, 1, 1000000),
       "Calls that may wait for a session; one more is refused as too many requests."},

      {"store", "path", path([](Settings& s) -> std::string& { return s.store.path; }, not_empty),
       "The SQLite file of certificate records; made when absent. Its directory must exist."},
      {"store", "readers", whole_number<unsigned>([](Settings& s) -> unsigned& { return s.store.readers; }, 1, 64),
       "Connections that read beside the one that writes."},

      {"log", "level",
       word<log::Level>([](Settings& s) -> log::Level& { return s.log_level; },
                        {{"debug", log::Level::debug},
                         {"info", log::Level::info},
                         {"warning", log::Level::warning},
                         {"error", log::Level::error}}),
       "The least event that is logged. The log goes to standard error."},
      {"log", "format",
       word<log::Format>([](Settings& s) -> log::Format& { return s.log_format; },
                         {{"json", log::Format::json}, {"text", log::Format::text}}),
       "One JSON object per line for machines, or text for people."},
  };
  return table;
}

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

std::string place_of(const toml::node& node) {
  return " (line " + std::to_string(node.source().begin.line) + ")";
}

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

  // What no single setting can say. `given` are the settings as read.
  void check_together() {
    if (!faults_.empty()) return;
    if (settings_.token.selector.label.empty() && settings_.token.selector.serial.empty()) {
      faults_.emplace_back("token.label or token.serial must be set, to tell which token is meant");
    }
    if (settings_.token.parallel_generations > settings_.token.sessions) {
      faults_.emplace_back("token.parallel_generations must not exceed token.sessions");
    }
  }

  const std::vector<std::string>& faults() const { return faults_; }

 private:
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
    // The parser's own words quote single characters and names of settings, but no values.
    throw Error(ErrorKind::invalid_object, {"line " + std::to_string(at.line) + ", column " +
                                            std::to_string(at.column) + ": this is not TOML (https://toml.io)"})
        .with_cause(file + ": " + std::string(error.description()));
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
  if (kind.range) return "From " + std::to_string(kind.range->first) + " to " + std::to_string(kind.range->second) + ".";
  std::string list;
  for (const std::string& choice : kind.choices) list += (list.empty() ? "One of " : ", ") + quoted(choice);
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
      "# hsm-signer: every setting with its meaning and its default, as `hsm-signer config show --defaults` prints it.\n"
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
