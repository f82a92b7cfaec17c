#include "service/serial_numbers.h"

#include <algorithm>

#include "base/error.h"

namespace hsmsigner::service {

Bytes SerialNumbers::next(Deadline deadline) {
  Bytes serial;
  {
    const std::lock_guard lock(mutex_);
    if (used_ < ahead_.size()) {
      const auto begin = ahead_.begin() + static_cast<std::ptrdiff_t>(used_);
      serial.assign(begin, begin + kOctets);
      used_ += kOctets;
    }
  }
  if (serial.empty()) {
    // Not under the lock: whoever has another one need not wait for this call. What several fetch at once is thrown
    // away but for the last.
    Bytes fresh = token_.random(kOctets * kAhead, deadline);
    serial.assign(fresh.begin(), fresh.begin() + kOctets);
    const std::lock_guard lock(mutex_);
    ahead_ = std::move(fresh);
    used_ = kOctets;
  }
  serial.front() &= 0x7f;
  if (std::ranges::all_of(serial, [](std::uint8_t octet) { return octet == 0; })) {
    throw Error(ErrorKind::internal_error).with_cause("the token's random generator answered zeros");
  }
  return serial;
}

}  // namespace hsmsigner::service
