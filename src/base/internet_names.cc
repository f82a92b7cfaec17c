#include "base/internet_names.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/utf8.h"

namespace hsmsigner {
namespace {

constexpr std::size_t kMaxLabel = 63;      // RFC 1035 2.3.4
constexpr std::size_t kMaxHostName = 253;  // the same, as text without the root's dot
constexpr std::size_t kMaxLocalPart = 64;  // RFC 5321 4.5.3.1.1
constexpr std::size_t kMaxMailAddress = 255;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// RFC 5322 3.2.3, atext.
constexpr bool is_atext(char c) {
  return is_alphanumeric(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_label(std::string_view label) noexcept {
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_atom(std::string_view atom) noexcept { return !atom.empty() && std::ranges::all_of(atom, is_atext); }

// Whether `accepts` holds for every part between dots.
bool every_part(std::string_view text, bool (*accepts)(std::string_view) noexcept) noexcept {
  while (true) {
    const std::size_t dot = text.find('.');
    if (!accepts(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace

std::optional<std::string> fault_of_host_name(std::string_view text, Wildcard wildcard) {
  if (parse_ip_address(text)) return "is an IP address, not a host name";
  const bool leading = wildcard == Wildcard::leading;
  if (leading && text.starts_with("*.")) text.remove_prefix(2);
  if (!is_ascii(text)) {
    return "must be ASCII; write an internationalised name as A-labels (xn--...)";
  }
  if (text.size() > kMaxHostName) return "must have at most 253 characters";
  if (!every_part(text, is_label)) {
    return std::string("must be labels of 1 to 63 letters, digits and inner hyphens, joined by dots") +
           (leading ? "; one leading \"*.\" is allowed" : "");
  }
  // Or a dotted number could pass for an address.
  if (std::ranges::all_of(text.substr(text.rfind('.') + 1), is_digit)) return "must not end in a label of digits only";
  return std::nullopt;
}

std::optional<std::string> fault_of_mail_address(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at > kMaxLocalPart || text.size() > kMaxMailAddress ||
      !every_part(text.substr(0, at), is_atom) || fault_of_host_name(text.substr(at + 1), Wildcard::refused)) {
    return "must be an e-mail address such as name@example.com";
  }
  return std::nullopt;
}

std::optional<Bytes> parse_ip_address(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  Bytes v4(4);
  if (::inet_pton(AF_INET, terminated.c_str(), v4.data()) == 1) return v4;
  Bytes v6(16);
  if (::inet_pton(AF_INET6, terminated.c_str(), v6.data()) == 1) return v6;
  return std::nullopt;
}

}  // namespace hsmsigner
