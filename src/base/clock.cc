#include "base/clock.h"

#include <cstdio>
#include <ctime>

namespace hsmsigner {

std::string date_time(UnixTime time) {
  const std::time_t seconds = static_cast<std::time_t>(time.time_since_epoch().count());
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string date_time(UnixMillis time) {
  const UnixTime seconds = std::chrono::floor<std::chrono::seconds>(time);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>((time - seconds).count()));
  std::string text = date_time(seconds);
  text.pop_back();
  return text + fraction;
}

std::optional<UnixMillis> parse_date_time(std::string_view text) {
  // YYYY-MM-DDThh:mm:ss, then perhaps a fraction, then Z.
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= kForm.size() || text.back() != 'Z') return std::nullopt;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == 'd' ? !is_digit(text[i]) : text[i] != kForm[i]) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    for (std::size_t i = at; i < at + digits; ++i) value = value * 10 + (text[i] - '0');
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) return std::nullopt;
  std::string_view fraction = text.substr(kForm.size(), text.size() - kForm.size() - 1);
  int milliseconds = 0;
  if (!fraction.empty()) {
    if (fraction.front() != '.' || fraction.size() < 2 || fraction.size() > 4) return std::nullopt;
    fraction.remove_prefix(1);
    for (std::size_t i = 0; i < 3; ++i) {
      if (i < fraction.size() && !is_digit(fraction[i])) return std::nullopt;
      milliseconds = milliseconds * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
    }
  }
  return UnixMillis(std::chrono::sys_days(date)) + std::chrono::hours(number(11, 2)) +
         std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2)) +
         std::chrono::milliseconds(milliseconds);
}

}  // namespace hsmsigner
