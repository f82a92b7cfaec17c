// A checkpoint vouches for the journal up to one event: whoever keeps one elsewhere can tell whether the journal was
// cut off or written anew. It is a JWS (crypto/jws.h) of type kCheckpointType by the audit key; its payload is one line
// of JSON, described in docs/AUDIT.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace hsmsigner::audit {

inline constexpr std::string_view kCheckpointType = "hsm-signer-checkpoint+jws";

struct Checkpoint {
  std::uint64_t number = 0;    // 1, 2, 3, …
  std::uint64_t sequence = 0;  // of the last event that it covers; since none is left out, their count as well
  std::string head;            // hash of that event's line
  UnixMillis time;
  std::string previous;  // SHA-256 of the JWS of the checkpoint before, hexadecimal; kNoPrevious for the first
};

// {"checkpoint":1,"sequence":120,"head":"…","time":"…","previous":"…"}
std::string payload_of(const Checkpoint& checkpoint);
// Nothing unless payload_of() gives this very text again.
std::optional<Checkpoint> parse_checkpoint(std::string_view payload);

}  // namespace hsmsigner::audit
