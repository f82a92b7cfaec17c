// The syntax of the names that certificates carry: what is a host name, an IP address, a mail address.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace hsmsigner {

// Labels of letters, digits and inner hyphens, 1-63 octets each, 253 in all, the last not all digits (RFC 1123 2.1);
// IDNs as A-labels. One leading "*." is allowed (RFC 6125 6.4.3).
bool is_host_name(std::string_view text) noexcept;

// 4 octets for dotted-decimal IPv4, 16 for IPv6 (RFC 4291 2.2); nothing for other text, a zone index included.
std::optional<Bytes> parse_ip_address(const std::string& text);

// Mailbox of RFC 5321 4.1.2 in its plain form: an ASCII dot-atom of 1-64 octets, '@', a host name without wildcard;
// 255 octets in all.
bool is_mail_address(std::string_view text) noexcept;

}  // namespace hsmsigner
