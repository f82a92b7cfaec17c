// Time: wall-clock time for certificates, steady time for waits.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace hsmsigner {

// Whole seconds since the Unix epoch, UTC: the resolution of a certificate's validity (RFC 5280 4.1.2.5).
using UnixTime = std::chrono::sys_seconds;
// Where "now" comes from; tests hand in their own.
using Clock = std::function<UnixTime()>;

inline UnixTime system_now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

// RFC 3339 5.6, UTC: "2026-11-24T12:00:00Z".
std::string date_time(UnixTime time);

// When a wait gives up. Every wait in this program has one.
using Deadline = std::chrono::steady_clock::time_point;

inline Deadline deadline_in(std::chrono::milliseconds duration) { return std::chrono::steady_clock::now() + duration; }

}  // namespace hsmsigner
