#include "report/statement.h"

#include <algorithm>
#include <charconv>

namespace hsmsigner::report {
namespace {

constexpr std::size_t kDigestDigits = 64;

// Takes `literal` off the text's beginning.
bool take(std::string_view& text, std::string_view literal) {
  if (!text.starts_with(literal)) return false;
  text.remove_prefix(literal.size());
  return true;
}

// Up to the next quotation mark, which is taken off too.
std::string_view take_quoted(std::string_view& text) {
  const std::string_view value = text.substr(0, text.find('"'));
  text.remove_prefix(std::min(text.size(), value.size() + 1));
  return value;
}

bool is_digest(std::string_view text) {
  return text.size() == kDigestDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::string_view to_string(Format format) noexcept { return format == Format::html ? "html" : "json"; }

std::optional<Format> format_from(std::string_view name) noexcept {
  for (const Format format : {Format::html, Format::json}) {
    if (to_string(format) == name) return format;
  }
  return std::nullopt;
}

std::string payload_of(const Statement& statement) {
  return R"({"report":")" + std::string(to_string(statement.format)) + R"(","sha256":")" + statement.sha256 +
         R"(","made_at":")" + date_time(statement.made_at) + R"(","journal_sequence":)" +
         std::to_string(statement.journal_sequence) + R"(,"journal_head":")" + statement.journal_head + R"("})";
}

std::optional<Statement> parse_statement(std::string_view payload) {
  std::string_view rest = payload;
  Statement statement;
  if (!take(rest, R"({"report":")")) return std::nullopt;
  const auto format = format_from(take_quoted(rest));
  if (!format || !take(rest, R"(,"sha256":")")) return std::nullopt;
  statement.format = *format;
  statement.sha256 = take_quoted(rest);
  if (!is_digest(statement.sha256) || !take(rest, R"(,"made_at":")")) return std::nullopt;
  const auto made_at = parse_date_time(take_quoted(rest));
  if (!made_at || !take(rest, R"(,"journal_sequence":)")) return std::nullopt;
  statement.made_at = *made_at;
  const auto [end, fault] = std::from_chars(rest.data(), rest.data() + rest.size(), statement.journal_sequence);
  if (fault != std::errc()) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  if (!take(rest, R"(,"journal_head":")")) return std::nullopt;
  statement.journal_head = take_quoted(rest);
  if (!statement.journal_head.empty() && !is_digest(statement.journal_head)) return std::nullopt;
  if (payload_of(statement) != payload) return std::nullopt;
  return statement;
}

}  // namespace hsmsigner::report
