// Which names lie within which: the arithmetic of name constraints (RFC 5280 4.2.1.10), for requests rather than for
// chains.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "policy/facts.h"
#include "policy/profile.h"

namespace hsmsigner::policy {

std::string lower_case(std::string_view text);  // of ASCII

// Nothing for text that is no network in CIDR form, has bits set behind its prefix, or is an IPv4-mapped IPv6 network
// (write the IPv4 one).
std::optional<IpRange> parse_ip_range(std::string_view text);

// Whether every host that `name` (lower case, without wildcard) stands for is `domain` itself or below it.
bool within_domain(std::string_view name, std::string_view domain) noexcept;
// `address` as parse_ip_address() gives it; an IPv4-mapped IPv6 address counts as the IPv4 address.
bool within_range(ByteView address, const IpRange& range);

// The name that others may take a common name for, after blanks around it and dots behind it: an IP address, a mail
// address, or what has the form of a host name, or nearly so (dots and no blanks). Nothing for any other text.
std::optional<NameFact> name_in_common_name(std::string_view common_name);

// Why lists of what is permitted and what is excluded refuse a name, to be read after "must"; nothing when they do not.
// A text that is no name of its kind is refused by either list, as it could mean anything to others.
std::optional<std::string> domain_not_permitted(std::string_view name, const std::vector<std::string>& permitted);
std::optional<std::string> domain_excluded(std::string_view name, const std::vector<std::string>& excluded);
// A leading wildcard is no label.
std::optional<std::string> too_few_labels(std::string_view name, unsigned least);
std::optional<std::string> mail_not_permitted(std::string_view address, const std::vector<std::string>& permitted);
std::optional<std::string> mail_excluded(std::string_view address, const std::vector<std::string>& excluded);
std::optional<std::string> ip_not_permitted(std::string_view address, const std::vector<IpRange>& permitted);
std::optional<std::string> ip_excluded(std::string_view address, const std::vector<IpRange>& excluded);

}  // namespace hsmsigner::policy
