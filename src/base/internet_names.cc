#include "base/internet_names.h"

#include <arpa/inet.h>

#include <algorithm>

namespace hsmsigner {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// RFC 5322 3.2.3, atext.
constexpr bool is_atext(char c) {
  return is_alphanumeric(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_label(std::string_view label) noexcept {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

// Whether `accepts` holds for every part between dots.
template <typename Predicate>
bool every_part(std::string_view text, Predicate accepts) noexcept {
  while (true) {
    const std::size_t dot = text.find('.');
    if (!accepts(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace

bool is_host_name(std::string_view text) noexcept {
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.empty() || text.size() > 253 || !every_part(text, is_label)) return false;
  const std::string_view last = text.substr(text.rfind('.') + 1);
  return !std::ranges::all_of(last, is_digit);
}

std::optional<Bytes> parse_ip_address(const std::string& text) {
  if (text.find('\0') != std::string::npos) return std::nullopt;
  Bytes v4(4);
  if (::inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return v4;
  Bytes v6(16);
  if (::inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return v6;
  return std::nullopt;
}

bool is_mail_address(std::string_view text) noexcept {
  if (text.size() > 255) return false;
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at > 64) return false;
  const auto is_atom = [](std::string_view atom) { return !atom.empty() && std::ranges::all_of(atom, is_atext); };
  const std::string_view domain = text.substr(at + 1);
  return every_part(text.substr(0, at), is_atom) && !domain.starts_with("*.") && is_host_name(domain);
}

}  // namespace hsmsigner
