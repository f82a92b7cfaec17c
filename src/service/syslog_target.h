// Where syslog messages go, as the setting audit.syslog writes it: "unix:/dev/log", "udp:192.0.2.1:514",
// "tcp:[2001:db8::1]:601".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hsmsigner::service {

enum class SyslogTransport {
  unix_datagram,
  udp,  // RFC 5426
  tcp,  // RFC 6587 3.4.1, octet counting
};

struct SyslogTarget {
  SyslogTransport transport = SyslogTransport::unix_datagram;
  std::string address;  // the socket's path; or an IP address, since asking a resolver for a name has no deadline
  std::uint16_t port = 0;
};

// Nothing for anything else: a relative path or one that is longer than a socket's (107 octets), a name in place of an
// address, port 0, an IPv6 address without brackets.
std::optional<SyslogTarget> parse_syslog_target(std::string_view text);

}  // namespace hsmsigner::service
