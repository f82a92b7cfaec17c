#include "policy/name_rules.h"

#include <algorithm>
#include <charconv>

#include "base/internet_names.h"

namespace hsmsigner::policy {
namespace {

constexpr std::size_t kListed = 5;  // of a list, in a sentence

bool is_mapped(ByteView address) {
  // ::ffff:0:0/96 (RFC 4291 2.5.5.2)
  return address.size() == 16 &&
         std::ranges::all_of(address.first(10), [](std::uint8_t octet) { return octet == 0; }) && address[10] == 0xff &&
         address[11] == 0xff;
}

// A name as a sentence may hold it: what comes from others' files may hold anything.
std::string shown(std::string_view name) {
  constexpr std::size_t kLongest = 255;
  const auto plain = [](char c) { return c > 0x20 && c < 0x7f && c != '"'; };
  if (name.empty() || name.size() > kLongest || !std::ranges::all_of(name, plain)) return "this name";
  return "\"" + std::string(name) + "\"";
}

template <typename T, typename Text>
std::string listed(const std::vector<T>& items, Text text) {
  std::string list;
  for (std::size_t i = 0; i < std::min(items.size(), kListed); ++i) list += (i == 0 ? "" : ", ") + text(items[i]);
  if (items.size() > kListed) list += " and " + std::to_string(items.size() - kListed) + " more";
  return list;
}

std::string itself(const std::string& text) { return text; }
std::string text_of(const IpRange& range) { return range.text; }

// The name without the root's dot and a leading wildcard, in lower case; nothing for what is no host name.
struct HostName {
  std::string name;
  bool wildcard = false;
};
std::optional<HostName> host_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (fault_of_host_name(text, Wildcard::leading)) return std::nullopt;
  HostName host;
  host.wildcard = text.starts_with("*.");
  if (host.wildcard) text.remove_prefix(2);
  host.name = lower_case(text);
  return host;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

std::optional<IpRange> parse_ip_range(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<Bytes> network = parse_ip_address(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  IpRange range;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), range.prefix);
  if (!network || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (range.prefix > network->size() * 8 || is_mapped(*network)) return std::nullopt;
  for (std::size_t bit = range.prefix; bit < network->size() * 8; ++bit) {
    if (((*network)[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
  }
  range.network = *network;
  range.text = text;
  return range;
}

bool within_domain(std::string_view name, std::string_view domain) noexcept {
  if (!name.ends_with(domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

bool within_range(ByteView address, const IpRange& range) {
  if (is_mapped(address)) address = address.subspan(12);
  if (address.size() != range.network.size()) return false;
  for (std::size_t bit = 0; bit < range.prefix; ++bit) {
    if ((((address[bit / 8] ^ range.network[bit / 8]) >> (7 - bit % 8)) & 1) != 0) return false;
  }
  return true;
}

std::optional<NameFact> name_in_common_name(std::string_view common_name) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t begin = common_name.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return std::nullopt;
  common_name = common_name.substr(begin, common_name.find_last_not_of(kBlanks) - begin + 1);
  while (common_name.ends_with('.')) common_name.remove_suffix(1);
  const auto as = [&](NameKind kind) { return NameFact{kind, std::string(common_name), "common_name"}; };
  if (parse_ip_address(common_name)) return as(NameKind::ip);
  if (!fault_of_mail_address(common_name)) return as(NameKind::mail);
  if (!fault_of_host_name(common_name, Wildcard::leading)) return as(NameKind::dns);
  const bool nearly =
      common_name.find('.') != std::string_view::npos && common_name.find_first_of(kBlanks) == std::string_view::npos;
  return nearly ? std::optional(as(common_name.find('@') == std::string_view::npos ? NameKind::dns : NameKind::mail))
                : std::nullopt;
}

std::optional<std::string> domain_not_permitted(std::string_view name, const std::vector<std::string>& permitted) {
  if (permitted.empty()) return "not be a host name: this profile permits none";
  const std::optional<HostName> host = host_name(name);
  if (!host) return "be a host name, which " + shown(name) + " is not";
  const auto covers = [&](const std::string& domain) { return within_domain(host->name, domain); };
  if (std::ranges::any_of(permitted, covers)) return std::nullopt;
  return "lie within " + listed(permitted, itself) + ", which " + shown(name) + " does not";
}

std::optional<std::string> domain_excluded(std::string_view name, const std::vector<std::string>& excluded) {
  const std::optional<HostName> host = host_name(name);
  if (!host) return "be a host name, which " + shown(name) + " is not";
  for (const std::string& domain : excluded) {
    // A wildcard also stands for what is below it.
    const bool covered = host->wildcard && within_domain(domain, host->name);
    if (covered || within_domain(host->name, domain)) {
      return "not lie within, or cover, " + domain + ", as " + shown(name) + " does";
    }
  }
  return std::nullopt;
}

std::optional<std::string> too_few_labels(std::string_view name, unsigned least) {
  const std::optional<HostName> host = host_name(name);
  if (!host) return "be a host name, which " + shown(name) + " is not";
  if (std::ranges::count(host->name, '.') + 1 >= least) return std::nullopt;
  return "have at least " + std::to_string(least) + " labels, a wildcard not counted, which " + shown(name) +
         " has not";
}

std::optional<std::string> mail_not_permitted(std::string_view address, const std::vector<std::string>& permitted) {
  if (permitted.empty()) return "not be a mail address: this profile permits none";
  if (fault_of_mail_address(address)) return "be a mail address, which " + shown(address) + " is not";
  return domain_not_permitted(address.substr(address.rfind('@') + 1), permitted);
}

std::optional<std::string> mail_excluded(std::string_view address, const std::vector<std::string>& excluded) {
  if (fault_of_mail_address(address)) return "be a mail address, which " + shown(address) + " is not";
  return domain_excluded(address.substr(address.rfind('@') + 1), excluded);
}

std::optional<std::string> ip_not_permitted(std::string_view address, const std::vector<IpRange>& permitted) {
  if (permitted.empty()) return "not be an IP address: this profile permits none";
  const std::optional<Bytes> octets = parse_ip_address(address);
  if (!octets) return "be an IP address, which " + shown(address) + " is not";
  const auto covers = [&](const IpRange& range) { return within_range(*octets, range); };
  if (std::ranges::any_of(permitted, covers)) return std::nullopt;
  return "lie within " + listed(permitted, text_of) + ", which " + shown(address) + " does not";
}

std::optional<std::string> ip_excluded(std::string_view address, const std::vector<IpRange>& excluded) {
  const std::optional<Bytes> octets = parse_ip_address(address);
  if (!octets) return "be an IP address, which " + shown(address) + " is not";
  for (const IpRange& range : excluded) {
    if (within_range(*octets, range)) return "not lie within " + range.text + ", as " + shown(address) + " does";
  }
  return std::nullopt;
}

}  // namespace hsmsigner::policy
