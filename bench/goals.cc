#include "goals.h"

#include <algorithm>
#include <cmath>

#include "report.h"

namespace hsmsigner::bench {
namespace {

constexpr unsigned kSustainedClients = 8;
constexpr unsigned kCrowd = 64;
constexpr unsigned kFixedRateClients = 8;

Verdict at_least(const char* name, const char* what, const char* unit, double goal) {
  return {name, what, unit, goal, false, {}, {}, {}};
}
Verdict at_most(const char* name, const char* what, const char* unit, double goal) {
  return {name, what, unit, goal, true, {}, {}, {}};
}

// The fill at which the ratio is worst.
const Row* worst_sustained(const Report& report, const std::string& algorithm) {
  const Row* worst = nullptr;
  for (const Row& row : report.rows) {
    const Sample& sample = row.median;
    if (sample.work != "certificate" || sample.algorithm != algorithm || sample.concurrency != kSustainedClients) {
      continue;
    }
    if (worst == nullptr || row.ratio < worst->ratio) worst = &row;
  }
  return worst;
}

Verdict sustained(const Report& report, const char* name, const char* what, const char* algorithm, double goal) {
  Verdict verdict = at_least(name, what, "", goal);
  const Row* row = worst_sustained(report, algorithm);
  if (row == nullptr) return verdict;
  verdict.value = row->ratio;
  if (const Row* raw = best_raw(report, *row, "pair")) verdict.floor = raw->median.rate;
  verdict.floor_is =
      "raw generate+sign per s, best of 1, 2 and 4 threads, at " + std::to_string(row->median.keys) + " objects";
  return verdict;
}

void judge_burst(const Report& report, std::vector<Verdict>& verdicts) {
  Verdict rate = at_least("burst_p256", "burst of POST P-256 from a filled pool, 64 clients", "per s", 3000);
  Verdict ratio = at_least("burst_p256_to_sign", "the same / raw C_Sign of all cores", "", 0.25);
  Verdict syncs = at_most("syncs_per_certificate", "fsyncs of the store per certificate, 64 clients, pool", "", 0.1);
  if (const Row* row = find(report, "P-256", "pool", kCrowd)) {
    rate.value = row->median.rate;
    ratio.value = row->ratio;
    syncs.value = row->median.store_syncs;
    if (const Row* raw = best_raw(report, *row, "sign")) {
      rate.floor = ratio.floor = raw->median.rate;
      rate.floor_is = ratio.floor_is = "raw C_Sign per s, best of 1, 2 and 4 threads, same objects";
    }
    syncs.floor = 1.0 / kCrowd;
    syncs.floor_is = "one fsync for each batch of all clients";
  }
  verdicts.insert(verdicts.end(), {rate, ratio, syncs});
}

Verdict rsa4096(const Report& report) {
  Verdict verdict = at_most("pool_rsa4096_p99", "POST RSA-4096 from the pool at 10/s, p99", "ms", 50);
  if (const Row* row = find(report, "RSA-4096", "pool", kFixedRateClients)) {
    verdict.value = row->median.p99_ms;
    if (const Row* raw = best_raw(report, *row, "sign")) {
      verdict.floor = raw->median.p50_ms;
      verdict.floor_is = "ms, p50 of one raw C_Sign";
      if (const Row* generate = best_raw(report, *row, "generate")) {
        verdict.floor_is += "; generating takes " + std::to_string(std::lround(generate->median.p50_ms)) + " ms";
      }
    }
  }
  return verdict;
}

Verdict get_by_id(const Report& report) {
  Verdict verdict = at_least("get_by_id", "GET by id, 64 clients", "per s", 15000);
  if (const Row* row = find(report, "P-256", "get", kCrowd)) {
    verdict.value = row->median.rate;
    if (const Row* open = find(report, "P-256", "open", kCrowd)) {
      verdict.floor = open->median.rate;
      verdict.floor_is = "GET without caller and store per s: what HTTP takes";
    }
  }
  return verdict;
}

void judge_growth(const GrowthFigures& growth, std::vector<Verdict>& verdicts) {
  struct Call {
    const char* name;
    const char* what;
    const char* figure;
  };
  constexpr Call kCalls[] = {
      {"growth_issue", "p50 in a large store / at 100 certificates: issue", "post_p256_p50_us"},
      {"growth_get", "… GET by id", "get_by_id_p50_us"},
      {"growth_list_first", "… list, first page", "list_first_page_p50_us"},
      {"growth_list_last", "… list, last page", "list_last_page_p50_us"},
      {"growth_look_up", "… look-up by name", "get_by_name_p50_us"},
      {"growth_delete", "… delete", "delete_p50_us"},
  };
  for (const Call& call : kCalls) {
    Verdict verdict = at_most(call.name, call.what, "", 1.2);
    const auto found = growth.ratios.find(call.figure);
    if (found != growth.ratios.end()) verdict.value = found->second;
    verdict.floor = 1;
    verdict.floor_is = "no growth";
    verdicts.push_back(verdict);
  }
}

void judge_large_store(const GrowthFigures& growth, std::vector<Verdict>& verdicts) {
  const auto large = [&](const char* figure) -> std::optional<double> {
    const auto found = growth.large.find(figure);
    if (found == growth.large.end()) return std::nullopt;
    return found->second;
  };
  Verdict start_up = at_most("start_up", "start-up with a large store", "ms", 1000);
  start_up.value = large("start_up_ms");
  Verdict resident = at_most("resident", "largest resident memory with a large store, under load", "MB", 150);
  resident.value = large("resident_largest_mb");
  Verdict flat = at_most("resident_flat", "resident memory, last quarter of the load / first, less the module's", "", 1.1);
  flat.floor_is = "MB that the module alone keeps of the keys destroyed meanwhile";
  const auto start = large("resident_start_mb");
  const auto beyond = large("resident_growth_beyond_module_mb");
  const auto keys = large("keys_between");
  const auto kept = large("module_keeps_kb_per_key");
  if (start && beyond && keys && kept && *start > 0) {
    flat.value = (*start + *beyond) / *start;
    flat.floor = *keys * *kept / 1000;
  }
  verdicts.insert(verdicts.end(), {start_up, resident, flat});
}

void judge_engine(const Report& report, std::vector<Verdict>& verdicts) {
  Verdict sustained = at_least("engine_sustained", "POST P-256 sustained / pkcs11-tool + openssl req + x509", "x", 20);
  Verdict pool = at_least("engine_pool", "POST P-256 from the pool / the same", "x", 400);
  if (const Row* engine = find(report, "P-256", "engine", 1); engine != nullptr && engine->median.rate > 0) {
    for (Verdict* verdict : {&sustained, &pool}) {
      verdict->floor = engine->median.rate;
      verdict->floor_is = "certificates per s that those tools make, and that verify";
    }
    if (const Row* row = worst_sustained(report, "P-256")) sustained.value = row->median.rate / engine->median.rate;
    if (const Row* row = find(report, "P-256", "pool", kCrowd)) pool.value = row->median.rate / engine->median.rate;
  }
  verdicts.insert(verdicts.end(), {sustained, pool});
}

}  // namespace

double Verdict::missed_by() const {
  if (!value || met()) return 0;
  return std::abs(*value - goal) / goal;
}

std::vector<Verdict> judge(const Report& report, const GrowthFigures& growth) {
  std::vector<Verdict> verdicts{
      sustained(report, "sustained_p256", "POST P-256 sustained, 8 clients / raw", "P-256", 0.95),
      sustained(report, "sustained_rsa2048", "POST RSA-2048 sustained, 8 clients / raw", "RSA-2048", 0.97)};
  judge_burst(report, verdicts);
  verdicts.push_back(rsa4096(report));
  verdicts.push_back(get_by_id(report));
  judge_growth(growth, verdicts);
  judge_large_store(growth, verdicts);
  judge_engine(report, verdicts);
  return verdicts;
}

}  // namespace hsmsigner::bench
