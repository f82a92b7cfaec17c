// The syntax of the names that certificates carry: what is a host name, an IP address, a mail address. The one place
// for these rules: what refuses a request and what decides which alternative name a common name becomes agree by
// construction.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace hsmsigner {

enum class Wildcard { refused, leading };  // one leading "*." (RFC 6125 6.4.3)

// What is wrong with a host name, to be read after its field's path ("must have at most 253 characters"); nothing for a
// good one. Labels of letters, digits and inner hyphens, 1-63 octets each, 253 in all, the last not all digits (RFC
// 1123 2.1); IDNs as A-labels.
std::optional<std::string> fault_of_host_name(std::string_view text, Wildcard wildcard);

// Mailbox of RFC 5321 4.1.2 in its plain form: an ASCII dot-atom of 1-64 octets, '@', a host name without wildcard;
// 255 octets in all.
std::optional<std::string> fault_of_mail_address(std::string_view text);

// 4 octets for dotted-decimal IPv4, 16 for IPv6 (RFC 4291 2.2); nothing for other text, a zone index included.
std::optional<Bytes> parse_ip_address(std::string_view text);

}  // namespace hsmsigner
