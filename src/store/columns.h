// What the tables' columns hold, in the types that SOCI binds. Private to the store.
#pragma once

#include <soci/soci.h>

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/uuid.h"

namespace hsmsigner::store {

template <class Value>
struct Nullable {
  Value value{};
  soci::indicator indicator = soci::i_null;

  bool null() const noexcept { return indicator == soci::i_null; }
};

// A list is one text, every element ended by a line feed. Throws Error{internal_error} when an element holds a control
// character.
std::string to_lines(const std::vector<std::string>& values);
std::vector<std::string> from_lines(const std::string& lines);

// Times are seconds since the epoch, truth is 0 or 1.
inline long long to_number(UnixTime time) { return static_cast<long long>(time.time_since_epoch().count()); }
// The journal's are milliseconds.
inline long long to_milliseconds(UnixMillis time) { return static_cast<long long>(time.time_since_epoch().count()); }
inline long long to_number(bool value) { return value ? 1 : 0; }
inline UnixTime to_time(long long seconds) { return UnixTime(std::chrono::seconds(seconds)); }
Nullable<long long> to_nullable(const std::optional<UnixTime>& time);
std::optional<UnixTime> to_time(const Nullable<long long>& seconds);

// What a row was made from is always there to read; anything else was put into the file by somebody else, and throws
// Error{internal_error}.
[[noreturn]] void throw_unreadable();
template <class Value>
Value intact(std::optional<Value> value) {
  if (!value) throw_unreadable();
  return *std::move(value);
}

// Octets are lower-case hexadecimal.
inline Bytes to_bytes(const std::string& hex) { return intact(from_hex(hex)); }
inline Uuid to_uuid(const std::string& text) { return intact(Uuid::parse(text)); }

}  // namespace hsmsigner::store
