#include "hsm/probe_label.h"

#include <algorithm>

#include "base/bytes.h"

namespace hsmsigner::hsm {
namespace {

constexpr std::size_t kTimeOctets = 6;

}  // namespace

Uuid probe_key_id(UnixMillis now) {
  const Uuid random = Uuid::random();
  Bytes octets(random.bytes().begin(), random.bytes().end());
  auto milliseconds = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (std::size_t i = kTimeOctets; i-- > 0; milliseconds >>= 8) octets[i] = static_cast<std::uint8_t>(milliseconds);
  octets[kTimeOctets] = static_cast<std::uint8_t>(0x70 | (octets[kTimeOctets] & 0x0f));
  return *Uuid::from_bytes(octets);
}

std::optional<UnixMillis> time_of(const Uuid& id) {
  if (id.bytes()[kTimeOctets] >> 4 != 7) return std::nullopt;
  std::int64_t milliseconds = 0;
  for (const std::uint8_t octet : id.bytes().first(kTimeOctets)) milliseconds = milliseconds << 8 | octet;
  return UnixMillis(std::chrono::milliseconds(milliseconds));
}

}  // namespace hsmsigner::hsm
