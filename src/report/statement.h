// What is signed about a report: a JWS (crypto/jws.h) of type kReportType by the audit key, whose payload is one line
// of JSON. It stands beside the report, which stays what it is, and holds the report's digest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace hsmsigner::report {

inline constexpr std::string_view kReportType = "hsm-signer-report+jws";

enum class Format { html, json };
std::string_view to_string(Format format) noexcept;  // "html", "json"
std::optional<Format> format_from(std::string_view name) noexcept;

struct Statement {
  Format format = Format::html;
  std::string sha256;  // of the report's octets, 64 lower-case hexadecimal digits
  UnixMillis made_at;
  std::uint64_t journal_sequence = 0;  // the last event that the report knows of
  std::string journal_head;            // its hash; "" when there is none
};

// {"report":"html","sha256":"…","made_at":"…","journal_sequence":120,"journal_head":"…"}
std::string payload_of(const Statement& statement);
// Nothing unless payload_of() gives this very text again.
std::optional<Statement> parse_statement(std::string_view payload);

}  // namespace hsmsigner::report
