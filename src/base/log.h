// Structured log: one event per line on stderr, as JSON (for machines) or text (for people). Thread safe.
// Never log a secret, a request body, or a database error's text (it repeats the bound values).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace hsmsigner::log {

enum class Level { debug, info, warning, error };
enum class Format { json, text };

// Before other threads start. Default: info, text.
void configure(Level level, Format format);

using Value = std::variant<std::string, std::int64_t, double, bool>;

struct Field {
  std::string_view name;
  Value value;

  Field(std::string_view key, std::string_view text) : name(key), value(std::string(text)) {}
  Field(std::string_view key, const char* text) : name(key), value(std::string(text)) {}
  Field(std::string_view key, const std::string& text) : name(key), value(text) {}
  Field(std::string_view key, std::int64_t number) : name(key), value(number) {}
  Field(std::string_view key, int number) : name(key), value(std::int64_t{number}) {}
  Field(std::string_view key, unsigned number) : name(key), value(std::int64_t{number}) {}
  Field(std::string_view key, std::size_t number) : name(key), value(static_cast<std::int64_t>(number)) {}
  Field(std::string_view key, double number) : name(key), value(number) {}
  Field(std::string_view key, bool flag) : name(key), value(flag) {}
};

// `event` is a short constant phrase ("key destroyed"); what varies goes into the fields.
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

// While it lives, every line that this thread writes has one more field: what the thread works on. One at a time.
class Context {
 public:
  Context(std::string_view name, const std::string& value);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::info, event, fields);
}
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::warning, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::error, event, fields);
}

}  // namespace hsmsigner::log
