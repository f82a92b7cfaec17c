#include "policy/profile_reader.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/utf8.h"
#include "policy/rule_table.h"

namespace hsmsigner::policy {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestDescription = 1000;
constexpr std::size_t kLongestReference = 200;

std::string place_of(const toml::node& node) { return " (line " + std::to_string(node.source().begin.line) + ")"; }

bool is_profile_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, fits) && name.front() != '-' &&
         name.back() != '-';
}

bool is_line(const std::string& text, std::size_t most) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= most && std::ranges::none_of(text, control);
}

class Reader {
 public:
  explicit Reader(Profile& profile) : profile_(profile) {}

  void read(const toml::table& root) {
    read_line(root, "name", profile_.name, [](const std::string& text) -> Fault {
      if (is_profile_name(text)) return {};
      return "must have 1 to " + std::to_string(kLongestName) + " lower-case letters, digits and inner hyphens";
    });
    read_line(root, "description", profile_.description, [](const std::string& text) -> Fault {
      if (is_line(text, kLongestDescription)) return {};
      return "must be one line of 1 to " + std::to_string(kLongestDescription) + " octets";
    });
    const toml::node* const rules = root.get("rules");
    if (rules == nullptr) {
      // A profile without rules allows everything; that is said by an empty table, not by a forgotten one.
      faults_.emplace_back("rules: the table [rules] is missing");
    } else if (const toml::table* const table = rules->as_table()) {
      read_rules(*table);
    } else {
      faults_.push_back("rules" + place_of(*rules) + ": must be a table, written [rules]");
    }
    for (const auto& [key, node] : root) {
      const std::string_view name = key.str();
      if (name != "name" && name != "description" && name != "rules") refuse_unknown(std::string(name), node);
    }
  }

  const std::vector<std::string>& faults() const { return faults_; }

 private:
  template <typename Check>
  void read_line(const toml::table& root, const char* key, std::string& value, Check check) {
    const toml::node* const node = root.get(key);
    if (node == nullptr) {
      faults_.push_back(std::string(key) + ": is missing");
      return;
    }
    const auto* const text = node->as_string();
    const Fault fault = text != nullptr ? check(text->get()) : Fault("must be text in quotation marks");
    if (fault) {
      faults_.push_back(key + place_of(*node) + ": " + *fault);
    } else {
      value = text->get();
    }
  }

  void read_rules(const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      const auto rule = std::ranges::find_if(rule_table(), [&](const Rule& row) { return row.name == name; });
      if (rule == rule_table().end()) {
        refuse_unknown("rules." + std::string(name), node);
      } else {
        read_rule(*rule, node);
      }
    }
    const Rules& rules = profile_.rules;
    if (rules.min_rsa_bits && rules.max_rsa_bits && *rules.min_rsa_bits > *rules.max_rsa_bits) {
      faults_.emplace_back("rules.max-rsa-bits: must not be less than min-rsa-bits");
    }
  }

  // Either the value, or { value = ..., reference = "..." }.
  void read_rule(const Rule& rule, const toml::node& node) {
    const std::string path = "rules." + std::string(rule.name);
    const toml::node* value = &node;
    if (const toml::table* const table = node.as_table()) {
      value = table->get("value");
      if (value == nullptr) faults_.push_back(path + place_of(node) + ": value is missing");
      for (const auto& [key, entry] : *table) {
        if (key.str() == "reference") {
          read_reference(rule, entry);
        } else if (key.str() != "value") {
          refuse_unknown(path + "." + std::string(key.str()), entry);
        }
      }
    }
    if (value == nullptr) return;
    if (const Fault fault = rule.read(profile_.rules, *value)) {
      faults_.push_back(path + place_of(*value) + ": " + *fault);
    }
  }

  void read_reference(const Rule& rule, const toml::node& node) {
    const auto* const text = node.as_string();
    if (text == nullptr || !is_line(text->get(), kLongestReference)) {
      faults_.push_back("rules." + std::string(rule.name) + ".reference" + place_of(node) +
                        ": must be one line of 1 to " + std::to_string(kLongestReference) + " octets");
      return;
    }
    profile_.references.emplace(rule.name, text->get());
  }

  void refuse_unknown(const std::string& path, const toml::node& node) {
    faults_.push_back(path + place_of(node) + ": unknown " + (path.starts_with("rules.") ? "rule" : "key"));
  }

  Profile& profile_;
  std::vector<std::string> faults_;
};

[[noreturn]] void refuse(std::string fault, std::string cause = {}) {
  throw Error(ErrorKind::invalid_object, {std::move(fault)}).with_cause(std::move(cause));
}

toml::table parse(const std::string& text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    refuse("line " + std::to_string(at.line) + ", column " + std::to_string(at.column) +
           ": this is not TOML (https://toml.io)");
  }
}

}  // namespace

Profile parse_profile(const std::string& text) {
  const toml::table root = parse(text);
  Profile profile;
  profile.text = text;
  Reader reader(profile);
  reader.read(root);
  if (!reader.faults().empty()) {
    throw Error(ErrorKind::invalid_object, reader.faults())
        .with_help("docs/POLICY.md has every rule; `hsm-signer policy show modern` shows how a profile is written");
  }
  return profile;
}

Profile load_profile(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    refuse("the profile cannot be read", error ? error.message() : "not a regular file");
  }
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) refuse("the profile cannot be read", std::strerror(errno));
  std::string text(kLongestProfile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) refuse("the profile cannot be read", "read error");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kLongestProfile) {
    refuse("the profile has more than " + std::to_string(kLongestProfile) + " octets");
  }
  return parse_profile(text);
}

}  // namespace hsmsigner::policy
