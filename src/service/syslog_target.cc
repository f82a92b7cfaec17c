#include "service/syslog_target.h"

#include <sys/un.h>

#include <charconv>

#include "base/internet_names.h"

namespace hsmsigner::service {
namespace {

// Taken off `text` when it begins so.
bool take(std::string_view& text, std::string_view beginning) {
  if (!text.starts_with(beginning)) return false;
  text.remove_prefix(beginning.size());
  return true;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

std::optional<SyslogTarget> parse_syslog_target(std::string_view text) {
  SyslogTarget target;
  if (take(text, "unix:")) {
    // As long as sun_path and its closing 0 allow.
    if (!text.starts_with('/') || text.size() >= sizeof(sockaddr_un::sun_path)) return std::nullopt;
    target.address = text;
    return target;
  }
  if (take(text, "udp:")) {
    target.transport = SyslogTransport::udp;
  } else if (take(text, "tcp:")) {
    target.transport = SyslogTransport::tcp;
  } else {
    return std::nullopt;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint16_t> port = parse_port(text.substr(colon + 1));
  std::string_view address = text.substr(0, colon);
  const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  const auto octets = parse_ip_address(address);
  if (!port || !octets || (octets->size() == 16) != bracketed) return std::nullopt;
  target.address = address;
  target.port = *port;
  return target;
}

}  // namespace hsmsigner::service
