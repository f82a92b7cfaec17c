#include "api/text_rules.h"

#include <algorithm>
#include <cstdint>

#include "base/internet_names.h"
#include "base/utf8.h"

namespace hsmsigner::api {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

constexpr bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029; }
constexpr bool is_bidi_control(char32_t c) {
  return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

// Officially assigned codes, ISO 3166-1.
constexpr std::string_view kCountries =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  unsigned value = 0;
  for (const char c : text) value = value * 10 + static_cast<unsigned>(c - '0');
  return value >= 1 && value <= 65535;
}

bool is_ip_v6(std::string_view text) {
  const auto address = parse_ip_address(text);
  return address && address->size() == 16;
}

}  // namespace

std::optional<std::string> fault_of_characters(std::string_view utf8) {
  for (std::size_t at = 0; at < utf8.size();) {
    const auto c = next_code_point(utf8, at);
    if (!c) return "must be UTF-8";
    if (is_control(*c)) return "must not hold control characters";
    if (is_bidi_control(*c)) return "must not hold characters that change the direction of text";
  }
  return std::nullopt;
}

bool is_country_code(std::string_view text) {
  if (text.size() != 2 || text.find(' ') != std::string_view::npos) return false;
  return kCountries.find(text) != std::string_view::npos;
}

std::optional<std::string> fault_of_http_url(std::string_view text) {
  const std::string rule = "must be an http or https URL such as http://ocsp.example.com/";
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return rule;
  const std::string_view scheme = text.substr(0, scheme_end);
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) return rule;
  std::string_view rest = text.substr(scheme_end + 3);
  std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  rest.remove_prefix(authority.size());
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos || !is_ip_v6(authority.substr(1, close - 1))) return rule;
    authority.remove_prefix(close + 1);
    if (!authority.empty() && !(authority.front() == ':' && is_port(authority.substr(1)))) return rule;
  } else {
    const std::size_t colon = authority.find(':');
    if (colon != std::string_view::npos && !is_port(authority.substr(colon + 1))) return rule;
    const std::string_view host = authority.substr(0, colon);
    if (!parse_ip_address(host) && fault_of_host_name(host, Wildcard::refused)) return rule;
  }
  constexpr std::string_view kSymbols = "-._~!$&'()*+,;=:@/?";  // RFC 3986 3.3, 3.4
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '%') {
      if (rest.size() - i < 3 || !is_hex_digit(rest[i + 1]) || !is_hex_digit(rest[i + 2])) return rule;
    } else if (!is_letter(rest[i]) && !is_digit(rest[i]) && kSymbols.find(rest[i]) == std::string_view::npos) {
      return rule;
    }
  }
  return std::nullopt;
}

std::string shown(std::string_view utf8, std::size_t limit) {
  std::string out;
  std::size_t count = 0;
  for (std::size_t at = 0; at < utf8.size(); ++count) {
    if (count == limit) return out + "...";
    const std::size_t begin = at;
    const auto c = next_code_point(utf8, at);
    if (!c) ++at;
    out += !c || is_control(*c) || is_bidi_control(*c) ? std::string_view("?") : utf8.substr(begin, at - begin);
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace hsmsigner::api
