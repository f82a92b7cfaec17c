// Settings as text: for people, for the sample, for the journal.
#include <algorithm>

#include "app/settings.h"
#include "app/settings_table.h"

namespace hsmsigner::app {
namespace {

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

// A table as it is written: its name, how its header stands, and its settings.
struct WrittenTable {
  std::string name;
  std::string header;
  std::vector<std::pair<std::string_view, std::string>> values;  // by key, as TOML
};

std::vector<WrittenTable> written_tables(const Settings& settings) {
  std::vector<WrittenTable> tables;
  const auto add = [&](const std::string& table, std::string name, std::string header, const Settings& of) {
    WrittenTable& written = tables.emplace_back(WrittenTable{std::move(name), std::move(header), {}});
    for (const Setting& setting : settings_table()) {
      if (setting.table == table) written.values.emplace_back(setting.key, setting.kind.write(of));
    }
  };
  for (const std::string& table : table_names()) {
    const std::size_t times = table == kRepeatedTable ? settings.tokens.size() : 1;
    for (std::size_t place = 0; place < times; ++place) {
      if (times == 1) {
        add(table, table, "[" + table + "]", settings);
      } else {
        add(table, settings.token_name(place), "[[" + table + "]]", only_token(settings, place));
      }
    }
  }
  return tables;
}

}  // namespace

std::vector<SettingInfo> setting_infos() {
  const Settings defaults = default_settings();
  std::vector<SettingInfo> infos;
  for (const Setting& setting : settings_table()) {
    infos.push_back(SettingInfo{std::string(setting.table), std::string(setting.key), setting.kind.write(defaults),
                                setting.kind.range, setting.kind.choices});
  }
  return infos;
}

std::vector<std::pair<std::string, std::string>> setting_values(const Settings& settings) {
  std::vector<std::pair<std::string, std::string>> all;
  for (WrittenTable& table : written_tables(settings)) {
    for (auto& [key, value] : table.values) all.emplace_back(table.name + "." + std::string(key), std::move(value));
  }
  return all;
}

std::string show_settings(const Settings& settings) {
  std::string out;
  for (const WrittenTable& table : written_tables(settings)) {
    out += (out.empty() ? "" : "\n") + table.header + "\n";
    for (const auto& [key, value] : table.values) out += std::string(key) + " = " + value + "\n";
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
