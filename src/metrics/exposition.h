// The answer to a scrape: Prometheus's text exposition format, version 0.0.4.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "metrics/request_metrics.h"
#include "metrics/table.h"

namespace hsmsigner::metrics {

inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

// Gathers what is read at the moment of the scrape, and writes it with what was counted. Not thread safe.
class Exposition {
 public:
  // A value of a counter or gauge of the table, with as many labels as its row has; octets in them that are no UTF-8
  // are shown as U+FFFD. Throws std::invalid_argument for another number of labels, and for a histogram. No two may
  // have the same metric and labels.
  void add(Metric metric, std::vector<std::string> labels, double value);

  // In the order of the table, those of `requests` among them. A metric without a value is left out.
  std::string text(const RequestMetrics& requests) const;

 private:
  struct Sample {
    Metric metric;
    std::vector<std::string> labels;
    double value;
  };
  std::vector<Sample> samples_;
};

}  // namespace hsmsigner::metrics
