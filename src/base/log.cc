#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

namespace hsmsigner::log {
namespace {

std::atomic<Format> format_in_use{Format::text};
thread_local std::optional<Field> context;

spdlog::logger& sink() {
  // Made once and never destroyed, so that a late thread may still log. The message is preformatted: the pattern
  // only adds the time.
  static spdlog::logger* const logger = [] {
    auto* made = new spdlog::logger("hsm-signer", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warning: return "warning";
    case Level::error: return "error";
  }
  return "error";
}

// RFC 8259 7; also keeps a line break in a value from forging a log line.
void append_quoted(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 0x0f];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_value(std::string& out, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    append_quoted(out, *text);
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    out += std::to_string(*number);
  } else if (const auto* real = std::get_if<double>(&value)) {
    out += fmt::format("{:.3f}", *real);
  } else {
    out += std::get<bool>(value) ? "true" : "false";
  }
}

void append_field(std::string& out, const Field& field, bool json) {
  out += json ? ',' : ' ';
  if (json) {
    append_quoted(out, field.name);
    out += ':';
  } else {
    out += field.name;
    out += '=';
  }
  append_value(out, field.value);
}

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now - seconds).count();
  const std::time_t time = std::chrono::system_clock::to_time_t(seconds);
  std::tm utc{};
  gmtime_r(&time, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, millis);
}

}  // namespace

void configure(Level level, Format format) {
  format_in_use = format;
  sink().set_level(to_spdlog(level));
}

Context::Context(std::string_view name, const std::string& value) { context.emplace(name, value); }
Context::~Context() { context.reset(); }

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  spdlog::logger& logger = sink();
  if (!logger.should_log(to_spdlog(level))) return;
  const bool json = format_in_use == Format::json;
  std::string line;
  if (json) {
    line = "{\"time\":\"" + utc_now() + "\",\"level\":\"" + std::string(name_of(level)) + "\",\"event\":";
    append_quoted(line, event);
  } else {
    line = utc_now() + " " + std::string(name_of(level)) + " " + std::string(event);
  }
  if (context) append_field(line, *context, json);
  for (const Field& field : fields) append_field(line, field, json);
  if (json) line += '}';
  // "{}" so that a brace in the text is not taken for a placeholder.
  logger.log(to_spdlog(level), "{}", line);
}

}  // namespace hsmsigner::log
