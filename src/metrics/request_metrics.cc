#include "metrics/request_metrics.h"

#include <stdexcept>
#include <utility>

#include "metrics/request_metrics_impl.h"
#include "metrics/table.h"

namespace hsmsigner::metrics {
namespace {

// In seconds: a certificate from the pool takes some milliseconds, a key of RSA-4096 in a slow token half a minute.
const prometheus::Histogram::BucketBoundaries kBuckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                       0.25,   0.5,   1,      2.5,   5,    10,    30};

template <typename Builder>
auto& add_family(Builder builder, Metric metric, prometheus::Registry& registry) {
  const Row& row = row_of(metric);
  return builder.Name(std::string(row.name)).Help(std::string(row.help)).Register(registry);
}

// In the order of the row.
prometheus::Labels labels_of(Metric metric, const std::vector<std::string>& values) {
  prometheus::Labels labels;
  for (std::size_t i = 0; i < values.size(); ++i) labels.emplace(row_of(metric).labels[i], values[i]);
  return labels;
}

}  // namespace

RequestMetrics::Impl::Impl(std::vector<RequestLabels> all_labels)
    : labels(std::move(all_labels)),
      requests(add_family(prometheus::BuildCounter(), Metric::http_requests, registry)),
      durations(add_family(prometheus::BuildHistogram(), Metric::http_request_duration, registry)),
      in_flight(add_family(prometheus::BuildGauge(), Metric::http_requests_in_flight, registry).Add({})),
      slots(labels.size()) {}

RequestMetrics::Impl::Slot& RequestMetrics::Impl::slot(std::size_t index) {
  std::atomic<Slot*>& place = slots.at(index);
  if (Slot* const present = place.load(std::memory_order_acquire)) return *present;
  const std::lock_guard lock(making);
  if (Slot* const present = place.load(std::memory_order_relaxed)) return *present;
  const RequestLabels& of = labels[index];
  prometheus::Histogram& histogram =
      durations.Add(labels_of(Metric::http_request_duration, {of.route, of.method}), kBuckets);
  made.push_back(std::make_unique<Slot>(histogram));
  place.store(made.back().get(), std::memory_order_release);
  return *made.back();
}

prometheus::Counter& RequestMetrics::Impl::counter(std::size_t index, Slot& slot, std::size_t status) {
  std::atomic<prometheus::Counter*>& place = slot.by_status[status];
  if (prometheus::Counter* const present = place.load(std::memory_order_acquire)) return *present;
  const RequestLabels& of = labels[index];
  // The family has a lock of its own, and gives two threads the same counter.
  prometheus::Counter& counter = requests.Add(
      labels_of(Metric::http_requests, {of.route, of.method, std::to_string(kLeastStatus + static_cast<int>(status))}));
  place.store(&counter, std::memory_order_release);
  return counter;
}

RequestMetrics::RequestMetrics(std::vector<RequestLabels> labels) : impl_(std::make_unique<Impl>(std::move(labels))) {}

RequestMetrics::~RequestMetrics() = default;

void RequestMetrics::answered(std::size_t slot, int status, std::chrono::duration<double> took) {
  if (status < Impl::kLeastStatus || status >= Impl::kLeastStatus + Impl::kStatuses) {
    throw std::out_of_range("no status code: " + std::to_string(status));
  }
  Impl::Slot& series = impl_->slot(slot);
  impl_->counter(slot, series, static_cast<std::size_t>(status - Impl::kLeastStatus)).Increment();
  series.duration.Observe(took.count());
}

RequestMetrics::UnderWay::UnderWay(RequestMetrics& metrics) noexcept : metrics_(metrics) {
  metrics_.impl_->in_flight.Increment();
}

RequestMetrics::UnderWay::~UnderWay() { metrics_.impl_->in_flight.Decrement(); }

}  // namespace hsmsigner::metrics
