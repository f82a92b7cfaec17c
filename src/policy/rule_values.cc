#include "policy/rule_values.h"

#include <algorithm>
#include <chrono>

#include "base/internet_names.h"
#include "policy/name_rules.h"

namespace hsmsigner::policy {
namespace {

constexpr std::int64_t kMostDays = 36500;
constexpr std::size_t kLongestIssuer = 330;  // "snippet:", 64 of a container, "/", 255 of a name, and some

template <typename T>
using ReadItem = std::function<Fault(const std::string&, T&)>;

// A list of texts, each of which `read_item` turns into a T.
template <typename T>
ReadValue text_list(RuleMember<std::vector<T>> member, Empty empty, ReadItem<T> read_item) {
  return [=](Rules& rules, const toml::node& node) -> Fault {
    const toml::array* const list = node.as_array();
    if (list == nullptr) return "must be a list of texts, such as [\"a\", \"b\"]";
    if (list->empty() && empty == Empty::refused) return "must not be an empty list";
    if (list->size() > kMostItems) return "must have at most " + std::to_string(kMostItems) + " items";
    std::vector<T> items;
    for (const toml::node& entry : *list) {
      const std::string place = "item " + std::to_string(items.size() + 1) + " ";
      const auto* const text = entry.as_string();
      if (text == nullptr) return place + "must be text in quotation marks";
      T item{};
      if (const Fault fault = read_item(text->get(), item)) return place + *fault;
      items.push_back(std::move(item));
    }
    rules.*member = std::move(items);
    return {};
  };
}

template <typename Range, typename Name>
std::string joined(const Range& range, Name name) {
  std::string list;
  for (const auto& entry : range) list += (list.empty() ? "" : ", ") + std::string(name(entry));
  return list;
}

Fault read_step(const toml::node& node, ValidityStep& step) {
  const toml::table* const table = node.as_table();
  const auto* const from = table != nullptr ? table->get_as<toml::date>("from") : nullptr;
  const auto* const days = table != nullptr ? table->get_as<std::int64_t>("days") : nullptr;
  if (from == nullptr || days == nullptr || table->size() != 2) {
    return "must be of the form { from = 2027-03-15, days = 100 }";
  }
  if (days->get() < 1 || days->get() > kMostDays) return "days must be from 1 to " + std::to_string(kMostDays);
  const toml::date date = from->get();
  step.from = std::chrono::sys_days(std::chrono::year(date.year) / date.month / date.day);
  step.days = static_cast<int>(days->get());
  return {};
}

}  // namespace

ReadValue flag(RuleMember<bool> member) {
  return [=](Rules& rules, const toml::node& node) -> Fault {
    const auto* const value = node.as_boolean();
    if (value == nullptr) return "must be true or false";
    rules.*member = value->get();
    return {};
  };
}

ReadValue whole_number(RuleMember<unsigned> member, std::int64_t least, std::int64_t most) {
  return [=](Rules& rules, const toml::node& node) -> Fault {
    const auto* const number = node.as_integer();
    if (number == nullptr) return "must be a whole number";
    if (number->get() < least || number->get() > most) {
      return "must be from " + std::to_string(least) + " to " + std::to_string(most);
    }
    rules.*member = static_cast<unsigned>(number->get());
    return {};
  };
}

ReadValue algorithm_list(RuleMember<std::vector<std::string>> member) {
  return text_list<std::string>(member, Empty::refused, [](const std::string& text, std::string& item) -> Fault {
    const auto known = key_algorithms();
    if (std::ranges::none_of(known, [&](const KeyAlgorithmInfo& entry) { return entry.name == text; })) {
      return "must be one of " + joined(known, [](const KeyAlgorithmInfo& entry) { return entry.name; });
    }
    item = text;
    return {};
  });
}

ReadValue digest_list(RuleMember<std::vector<Digest>> member) {
  return text_list<Digest>(member, Empty::refused, [](const std::string& text, Digest& item) -> Fault {
    const auto digest = digest_from_name(text);
    if (!digest) {
      return "must be one of " + joined(digests(), [](const DigestAlgorithmInfo& entry) { return entry.name; });
    }
    item = *digest;
    return {};
  });
}

ReadValue validity(RuleMember<std::vector<ValidityStep>> member) {
  return [=](Rules& rules, const toml::node& node) -> Fault {
    std::vector<ValidityStep> steps;
    if (const auto* const number = node.as_integer()) {
      if (number->get() < 1 || number->get() > kMostDays) return "must be from 1 to " + std::to_string(kMostDays);
      steps.push_back({UnixTime::min(), static_cast<int>(number->get())});
    } else if (const toml::array* const list = node.as_array(); list != nullptr && !list->empty()) {
      if (list->size() > kMostItems) return "must have at most " + std::to_string(kMostItems) + " steps";
      for (const toml::node& entry : *list) {
        const std::string place = "step " + std::to_string(steps.size() + 1) + " ";
        ValidityStep step;
        if (const Fault fault = read_step(entry, step)) return place + *fault;
        if (!steps.empty() && step.from <= steps.back().from) return place + "must begin after the one before it";
        steps.push_back(step);
      }
    } else {
      return "must be a whole number of days, or a list of steps such as [{ from = 2027-03-15, days = 100 }]";
    }
    rules.*member = std::move(steps);
    return {};
  };
}

ReadValue domain_list(RuleMember<std::vector<std::string>> member, Empty empty) {
  return text_list<std::string>(member, empty, [](const std::string& text, std::string& item) -> Fault {
    if (const auto fault = fault_of_host_name(text, Wildcard::refused)) return *fault;
    item = lower_case(text);
    return {};
  });
}

ReadValue ip_range_list(RuleMember<std::vector<IpRange>> member, Empty empty) {
  return text_list<IpRange>(member, empty, [](const std::string& text, IpRange& item) -> Fault {
    std::optional<IpRange> range = parse_ip_range(text);
    if (!range) {
      return "must be a network with all bits behind its prefix zero, such as \"192.0.2.0/24\" or \"2001:db8::/32\"";
    }
    item = *std::move(range);
    return {};
  });
}

ReadValue word_list(RuleMember<std::vector<std::string>> member, std::vector<std::string> words) {
  return text_list<std::string>(member, Empty::refused, [words](const std::string& text, std::string& item) -> Fault {
    if (std::ranges::find(words, text) == words.end()) {
      return "must be one of " + joined(words, [](const std::string& word) { return word; });
    }
    item = text;
    return {};
  });
}

ReadValue issuer_list(RuleMember<std::vector<IssuerEntry>> member) {
  return text_list<IssuerEntry>(member, Empty::refused, [](const std::string& text, IssuerEntry& item) -> Fault {
    using Kind = IssuerEntry::Kind;
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    const std::size_t slash = text.find('/');  // no container's name has one
    if (text == "self" || text == "external") {
      item.kind = text == "self" ? Kind::itself : Kind::external;
      return {};
    }
    if (const auto id = Uuid::parse(text)) {
      item.kind = Kind::id;
      item.id = id;
      return {};
    }
    if (slash != std::string::npos && text.size() <= kLongestIssuer && std::ranges::none_of(text, control)) {
      item.kind = Kind::place;
      item.container = Container::parse(text.substr(0, slash));
      item.name = text.substr(slash + 1);
      if (item.container && !item.name.empty()) return {};
    }
    return "must be \"self\", \"external\", the id of a certificate, or its container and name, such as "
           "\"folder:Infra/Root\": its name alone could be given to another one";
  });
}

}  // namespace hsmsigner::policy
