// By what the keys of a probe are known in a token, so that those of a probe that was killed do not stay.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/uuid.h"

namespace hsmsigner::hsm {

// The CKA_LABEL of every key and copy that a probe makes, and of no other key.
inline constexpr std::string_view kProbeLabel = "hsm-signer probe";

// No probe needs a key for longer than the first; a key older than the second is nobody's. The difference is for the
// clocks of two hosts that share a token.
inline constexpr std::chrono::minutes kLongestProbe{8};
inline constexpr std::chrono::minutes kProbeLeftOver{10};

// The CKA_ID of such a key: a UUID of version 7 (RFC 9562 5.7), which says when it was made.
Uuid probe_key_id(UnixMillis now);
// When a UUID of version 7 was made; nothing for one of another version.
std::optional<UnixMillis> time_of(const Uuid& id);

}  // namespace hsmsigner::hsm
