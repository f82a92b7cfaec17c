// Private to this room: what stands behind RequestMetrics.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <mutex>
#include <vector>

#include "metrics/request_metrics.h"

namespace hsmsigner::metrics {

struct RequestMetrics::Impl {
  static constexpr int kLeastStatus = 100;
  static constexpr int kStatuses = 500;

  // The series of one slot; they belong to the registry. Made at its first request.
  struct Slot {
    explicit Slot(prometheus::Histogram& histogram) : duration(histogram) {}
    prometheus::Histogram& duration;
    std::array<std::atomic<prometheus::Counter*>, kStatuses> by_status{};  // null: no request had it yet
  };

  explicit Impl(std::vector<RequestLabels> all_labels);
  Slot& slot(std::size_t index);
  prometheus::Counter& counter(std::size_t index, Slot& slot, std::size_t status);

  const std::vector<RequestLabels> labels;
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests;
  prometheus::Family<prometheus::Histogram>& durations;
  prometheus::Gauge& in_flight;

  std::vector<std::atomic<Slot*>> slots;  // as many as labels; null: no request yet
  std::mutex making;                      // guards made, and each first store of a pointer
  std::vector<std::unique_ptr<Slot>> made;
};

}  // namespace hsmsigner::metrics
