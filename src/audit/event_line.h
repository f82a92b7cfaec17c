// The canonical form of an event: one line of JSON, chained to the one before by its SHA-256. docs/AUDIT.md describes
// it octet by octet. An exported journal holds these very lines, so that `openssl dgst` alone can follow the chain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/event.h"
#include "base/clock.h"

namespace hsmsigner::audit {

// `previous` of the first event ever: 64 times '0'.
extern const std::string kNoPrevious;

// Octets; far more than the events of this service make, so that none is lost for its length.
inline constexpr std::size_t kLongestLine = std::size_t{1} << 20;

struct ChainedEvent {
  std::uint64_t sequence = 0;  // 1, 2, 3, …
  UnixMillis time;
  Event event;
  std::string previous;  // hash of the line before, 64 lower-case hexadecimal digits
};

// What a text becomes before it is written: well-formed UTF-8 of at most 1,024 octets, which end in "…" if it was cut.
// What is presentable stays as it is.
std::string presentable(std::string_view text);

// The line, without a line feed: every member in a fixed order, always present, no blanks.
// Texts longer than 1,024 octets are cut at a character and end in "…" then; octets that are not UTF-8 become U+FFFD.
// Throws Error{internal_error} for one that would be longer than kLongestLine, which nobody could verify.
std::string line_of(const ChainedEvent& event);
// SHA-256 over the line's octets, 64 lower-case hexadecimal digits.
std::string hash_of(std::string_view line);
// Nothing unless line_of() gives this very line again.
std::optional<ChainedEvent> parse_line(std::string_view line);

}  // namespace hsmsigner::audit
