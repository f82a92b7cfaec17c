#include "metrics/exposition.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

#include "base/utf8.h"
#include "metrics/request_metrics_impl.h"

namespace hsmsigner::metrics {
namespace {

// One label with other octets, and Prometheus would refuse the whole answer.
std::string well_formed(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    if (next_code_point(text, at)) {
      out += text.substr(from, at - from);
    } else {
      out += "\xef\xbf\xbd";
      ++at;
    }
  }
  return out;
}

prometheus::MetricFamily family_of(const Row& row) {
  prometheus::MetricFamily family;
  family.name = row.name;
  family.help = row.help;
  family.type = row.kind == Kind::counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  return family;
}

}  // namespace

void Exposition::add(Metric metric, std::vector<std::string> labels, double value) {
  const Row& row = row_of(metric);
  if (labels.size() != row.labels.size() || row.kind == Kind::histogram) {
    throw std::invalid_argument("not as the table of metrics has it: " + std::string(row.name));
  }
  samples_.push_back({metric, std::move(labels), value});
}

std::string Exposition::text(const RequestMetrics& requests) const {
  std::map<std::string_view, prometheus::MetricFamily> by_name;
  for (prometheus::MetricFamily& family : requests.impl_->registry.Collect()) {
    const auto row = std::find_if(table().begin(), table().end(), [&](const Row& r) { return r.name == family.name; });
    by_name.emplace(row->name, std::move(family));
  }
  for (const Sample& sample : samples_) {
    const Row& row = row_of(sample.metric);
    prometheus::ClientMetric metric;
    for (std::size_t i = 0; i < row.labels.size(); ++i) {
      metric.label.push_back({std::string(row.labels[i]), well_formed(sample.labels[i])});
    }
    (row.kind == Kind::counter ? metric.counter.value : metric.gauge.value) = sample.value;
    by_name.try_emplace(row.name, family_of(row)).first->second.metric.push_back(std::move(metric));
  }
  std::vector<prometheus::MetricFamily> families;
  for (const Row& row : table()) {
    const auto found = by_name.find(row.name);
    if (found != by_name.end()) families.push_back(std::move(found->second));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace hsmsigner::metrics
