// Time: wall-clock time for certificates, steady time for waits.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hsmsigner {

// Whole seconds since the Unix epoch, UTC: the resolution of a certificate's validity (RFC 5280 4.1.2.5).
using UnixTime = std::chrono::sys_seconds;
// Where "now" comes from; tests hand in their own.
using Clock = std::function<UnixTime()>;

inline UnixTime system_now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

// RFC 3339 5.6, UTC: "2026-11-24T12:00:00Z".
std::string date_time(UnixTime time);

// The same in milliseconds: the resolution of the journal.
using UnixMillis = std::chrono::sys_time<std::chrono::milliseconds>;
inline UnixMillis system_now_millis() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}
// "2026-11-24T12:00:00.123Z".
std::string date_time(UnixMillis time);
// Either form, with no, one, two or three digits of a fraction; nothing for anything else, a date that is none
// included.
std::optional<UnixMillis> parse_date_time(std::string_view text);

// When a wait gives up. Every wait in this program has one.
using Deadline = std::chrono::steady_clock::time_point;

inline Deadline deadline_in(std::chrono::milliseconds duration) { return std::chrono::steady_clock::now() + duration; }

}  // namespace hsmsigner
