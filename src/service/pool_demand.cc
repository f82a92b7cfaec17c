#include "service/pool_demand.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace hsmsigner::service {

PoolMarks learned_marks(const KeyClass& key_class, double demand, std::chrono::duration<double> one_key) {
  if (demand < kLeastDemand) return {key_class, 0, 0};
  const double a_second = demand / static_cast<double>(KeyPool::kDemandWindow.count());
  const double wanted = std::ceil(a_second * std::max(60.0, 30 * one_key.count()));
  const auto high = static_cast<std::size_t>(std::min(wanted, static_cast<double>(kMostLearned)));
  return {key_class, (high + 1) / 2, high};
}

std::optional<PoolMarks> parse_marks(std::string_view text) {
  constexpr std::size_t kMost = 1'000'000;
  const auto number_after = [](std::string_view from, std::size_t colon) -> std::optional<std::size_t> {
    const std::string_view digits = from.substr(colon + 1);
    std::size_t number = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (fault != std::errc() || end != digits.data() + digits.size() || number > kMost) return std::nullopt;
    return number;
  };
  const std::size_t last = text.rfind(':');
  if (last == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(0, last);
  const std::size_t first = rest.rfind(':');
  if (first == std::string_view::npos) return std::nullopt;
  const auto key_class = KeyClass::parse(rest.substr(0, first));
  const auto low = number_after(rest, first);
  const auto high = number_after(text, last);
  if (!key_class || !low || !high || *low > *high) return std::nullopt;
  return PoolMarks{*key_class, *low, *high};
}

}  // namespace hsmsigner::service
