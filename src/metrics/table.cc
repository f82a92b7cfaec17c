#include "metrics/table.h"

#include <array>
#include <cstddef>

namespace hsmsigner::metrics {
namespace {

constexpr std::string_view kOfRequests[] = {"route", "method", "code"};
constexpr std::string_view kOfDurations[] = {"route", "method"};
constexpr std::string_view kOfPool[] = {"token", "class"};
constexpr std::string_view kOfToken[] = {"token"};
constexpr std::string_view kOfOperations[] = {"token", "kind"};
constexpr std::span<const std::string_view> kNone;

constexpr std::array kTable{
    Row{Metric::http_requests, "hsm_signer_http_requests_total", Kind::counter, kOfRequests,
        "Requests answered, by route, method and status code."},
    Row{Metric::http_request_duration, "hsm_signer_http_request_duration_seconds", Kind::histogram, kOfDurations,
        "From a request's head to its answer being ready to send."},
    Row{Metric::http_requests_in_flight, "hsm_signer_http_requests_in_flight", Kind::gauge, kNone,
        "Requests under way, until the answer is sent; this one is among them."},

    Row{Metric::key_pool_keys, "hsm_signer_key_pool_keys", Kind::gauge, kOfPool,
        "Keys made ahead that this server has in stock."},
    Row{Metric::key_pool_low_mark, "hsm_signer_key_pool_low_mark_keys", Kind::gauge, kOfPool,
        "With fewer keys in stock than this, the pool is filled up."},
    Row{Metric::key_pool_high_mark, "hsm_signer_key_pool_high_mark_keys", Kind::gauge, kOfPool,
        "Up to so many keys in stock the pool is filled."},
    Row{Metric::key_pool_claims, "hsm_signer_key_pool_claims_total", Kind::counter, kOfPool,
        "Requests that took a key from the stock."},
    Row{Metric::key_pool_misses, "hsm_signer_key_pool_misses_total", Kind::counter, kOfPool,
        "Requests that found no key in stock and had one made."},
    Row{Metric::key_pool_demand, "hsm_signer_key_pool_demand_requests", Kind::gauge, kOfPool,
        "Requests for a key in about the last ten minutes, the older ones weighing less."},

    Row{Metric::token_up, "hsm_signer_token_up", Kind::gauge, kOfToken,
        "0 from a call that failed as the token or its session was lost until one is answered again, else 1."},
    Row{Metric::token_sessions, "hsm_signer_token_sessions", Kind::gauge, kOfToken,
        "Sessions with the token, each of which does one operation at a time."},
    Row{Metric::token_operations_running, "hsm_signer_token_operations_running", Kind::gauge, kOfOperations,
        "Operations under way in the token: calls (signatures, searches, reads), generations (and imports) of "
        "requests, "
        "generations ahead of requests."},
    Row{Metric::token_operations_waiting, "hsm_signer_token_operations_waiting", Kind::gauge, kOfOperations,
        "Operations that wait for a session, of the same kinds."},

    Row{Metric::store_commits, "hsm_signer_store_commits_total", Kind::counter, kNone,
        "Transactions made durable in the store."},
    Row{Metric::store_writes, "hsm_signer_store_writes_total", Kind::counter, kNone,
        "Writes made durable in the store; many share one transaction."},
    Row{Metric::store_writes_waiting, "hsm_signer_store_writes_waiting", Kind::gauge, kNone,
        "Writes that wait for the store's writer."},

    Row{Metric::process_cpu_seconds, "process_cpu_seconds_total", Kind::counter, kNone,
        "Processor time that the process has used, in seconds."},
    Row{Metric::process_start_time, "process_start_time_seconds", Kind::gauge, kNone,
        "When the process began, in seconds since the Unix epoch."},
    Row{Metric::process_resident_memory, "process_resident_memory_bytes", Kind::gauge, kNone,
        "Memory that the process has resident."},
    Row{Metric::process_open_fds, "process_open_fds", Kind::gauge, kNone, "Open file descriptors."},
    Row{Metric::process_max_fds, "process_max_fds", Kind::gauge, kNone, "The most file descriptors that may be open."},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].metric) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::string_view to_string(Kind kind) noexcept {
  switch (kind) {
    case Kind::counter: return "counter";
    case Kind::gauge: return "gauge";
    case Kind::histogram: break;
  }
  return "histogram";
}

std::span<const Row> table() noexcept { return kTable; }

const Row& row_of(Metric metric) noexcept { return kTable[static_cast<std::size_t>(metric)]; }

}  // namespace hsmsigner::metrics
