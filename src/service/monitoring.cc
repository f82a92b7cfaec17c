#include "service/monitoring.h"

#include <set>

#include "metrics/exposition.h"

namespace hsmsigner::service {
namespace {

using metrics::Exposition;
using metrics::Metric;

void add_token(Exposition& exposition, const std::string& name, const hsm::Token& token) {
  const hsm::TokenLoad load = token.load();
  exposition.add(Metric::token_up, {name}, token.is_lost() ? 0 : 1);
  exposition.add(Metric::token_sessions, {name}, static_cast<double>(load.sessions));
  const auto add = [&](const char* kind, const hsm::TokenLoad::Operations& operations) {
    exposition.add(Metric::token_operations_running, {name, kind}, static_cast<double>(operations.running));
    exposition.add(Metric::token_operations_waiting, {name, kind}, static_cast<double>(operations.waiting));
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

Monitoring::Monitoring(const TokenSet& tokens, const KeyPools* pools, const store::Store& store,
                       const metrics::RequestMetrics& requests)
    : store_(store), requests_(requests) {
  std::set<std::string> labels;
  for (const ServiceToken& each : tokens.all()) labels.insert(each.token.info().label);
  const bool by_label = labels.size() == tokens.all().size();
  for (const ServiceToken& each : tokens.all()) {
    const hsm::TokenInfo& info = each.token.info();
    tokens_.push_back({by_label ? info.label : name_of(info), each.token, pools ? pools->of(each.token) : nullptr});
  }
}

std::string Monitoring::exposition() const {
  Exposition exposition;
  for (const NamedToken& each : tokens_) {
    add_token(exposition, each.name, each.token);
    if (each.pool != nullptr) add_pool(exposition, each.name, *each.pool);
  }
  const store::WriterFigures writer = store_.writer_figures();
  exposition.add(Metric::store_commits, {}, static_cast<double>(writer.commits));
  exposition.add(Metric::store_writes, {}, static_cast<double>(writer.writes));
  exposition.add(Metric::store_writes_waiting, {}, static_cast<double>(writer.waiting));
  process_.add_to(exposition);
  return exposition.text(requests_);
}

}  // namespace hsmsigner::service
