// The one table of metrics: names, kinds, labels and help come from its rows (docs/METRICS.md is checked against them).
#pragma once

#include <span>
#include <string_view>

namespace hsmsigner::metrics {

enum class Metric {
  http_requests,
  http_request_duration,
  http_requests_in_flight,
  key_pool_keys,
  key_pool_low_mark,
  key_pool_high_mark,
  key_pool_claims,
  key_pool_misses,
  key_pool_demand,
  token_up,
  token_sessions,
  token_operations_running,
  token_operations_waiting,
  store_commits,
  store_writes,
  store_writes_waiting,
  process_cpu_seconds,
  process_start_time,
  process_resident_memory,
  process_open_fds,
  process_max_fds,
};

// A counter only grows, from 0 at the start of the process; a gauge is what is now.
enum class Kind { counter, gauge, histogram };
// "counter", …
std::string_view to_string(Kind kind) noexcept;

struct Row {
  Metric metric;
  std::string_view name;
  Kind kind;
  std::span<const std::string_view> labels;
  std::string_view help;
};

// In the order of the enumerators.
std::span<const Row> table() noexcept;
const Row& row_of(Metric metric) noexcept;

}  // namespace hsmsigner::metrics
