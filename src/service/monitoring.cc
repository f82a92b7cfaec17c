#include "service/monitoring.h"

#include "metrics/exposition.h"

namespace hsmsigner::service {
namespace {

using metrics::Exposition;
using metrics::Metric;

void add_token(Exposition& exposition, const hsm::Token& token) {
  const std::string& label = token.info().label;
  const hsm::TokenLoad load = token.load();
  exposition.add(Metric::token_up, {label}, token.is_lost() ? 0 : 1);
  exposition.add(Metric::token_sessions, {label}, static_cast<double>(load.sessions));
  const auto add = [&](const char* kind, const hsm::TokenLoad::Operations& operations) {
    exposition.add(Metric::token_operations_running, {label, kind}, static_cast<double>(operations.running));
    exposition.add(Metric::token_operations_waiting, {label, kind}, static_cast<double>(operations.waiting));
  };
  add("calls", load.calls);
  add("generations", load.generations);
  add("ahead", load.ahead);
}

void add_pool(Exposition& exposition, const std::string& token, const KeyPool& pool) {
  // While the lease is in doubt nobody knows whose the keys are.
  const bool holds = pool.holds();
  for (const PoolFigures& figures : pool.figures()) {
    const std::vector<std::string> labels{token, figures.key_class.to_string()};
    if (holds) exposition.add(Metric::key_pool_keys, labels, static_cast<double>(figures.stock));
    exposition.add(Metric::key_pool_low_mark, labels, static_cast<double>(figures.low));
    exposition.add(Metric::key_pool_high_mark, labels, static_cast<double>(figures.high));
    exposition.add(Metric::key_pool_claims, labels, static_cast<double>(figures.claims));
    exposition.add(Metric::key_pool_misses, labels, static_cast<double>(figures.misses));
    exposition.add(Metric::key_pool_demand, labels, figures.demand);
  }
}

}  // namespace

std::string Monitoring::exposition() const {
  Exposition exposition;
  for (const MonitoredToken& each : tokens_) {
    add_token(exposition, each.token);
    if (each.pool != nullptr) add_pool(exposition, each.token.info().label, *each.pool);
  }
  const store::WriterFigures writer = store_.writer_figures();
  exposition.add(Metric::store_commits, {}, static_cast<double>(writer.commits));
  exposition.add(Metric::store_writes, {}, static_cast<double>(writer.writes));
  exposition.add(Metric::store_writes_waiting, {}, static_cast<double>(writer.waiting));
  process_.add_to(exposition);
  return exposition.text(requests_);
}

}  // namespace hsmsigner::service
