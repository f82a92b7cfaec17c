// Serial numbers of certificates, from the token's generator: fetched ahead, many in one call.
#pragma once

#include <cstddef>
#include <mutex>

#include "base/bytes.h"
#include "base/clock.h"
#include "hsm/token.h"

namespace hsmsigner::service {

// Thread safe.
class SerialNumbers {
 public:
  static constexpr std::size_t kOctets = 20;  // RFC 5280 4.1.2.2: at most 20, positive
  static constexpr std::size_t kAhead = 64;   // in one C_GenerateRandom

  // `token` outlives this object.
  explicit SerialNumbers(hsm::Token& token) : token_(token) {}

  // 160 bits, of which the sign bit is cleared. None is given out twice. Throws what Token::random() throws.
  Bytes next(Deadline deadline);

 private:
  hsm::Token& token_;
  std::mutex mutex_;
  Bytes ahead_;           // guarded by mutex_
  std::size_t used_ = 0;  // guarded by mutex_; octets of ahead_
};

}  // namespace hsmsigner::service
