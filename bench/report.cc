#include "report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string_view>
#include <tuple>

namespace hsmsigner::bench {
namespace {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

template <typename Member>
double median_of(const std::vector<Sample>& samples, Member member) {
  std::vector<double> values;
  for (const auto& sample : samples) values.push_back(sample.*member);
  return median(std::move(values));
}

// The target is set against the best raw rate of 1, 2 and 4 threads.
constexpr unsigned kMostFloorThreads = 4;

Row combine(const std::vector<Sample>& rounds) {
  Row row;
  row.median = rounds.front();
  row.rounds = rounds.size();
  row.median.rate = median_of(rounds, &Sample::rate);
  row.median.seconds = median_of(rounds, &Sample::seconds);
  row.median.p50_ms = median_of(rounds, &Sample::p50_ms);
  row.median.p99_ms = median_of(rounds, &Sample::p99_ms);
  row.median.p999_ms = median_of(rounds, &Sample::p999_ms);
  row.median.server_cpu_us = median_of(rounds, &Sample::server_cpu_us);
  row.median.client_cpu_us = median_of(rounds, &Sample::client_cpu_us);
  row.median.store_syncs = median_of(rounds, &Sample::store_syncs);
  row.median.other_syncs = median_of(rounds, &Sample::other_syncs);
  row.median.errors = 0;
  row.slowest_round = row.fastest_round = rounds.front().rate;
  for (const auto& sample : rounds) {
    row.slowest_round = std::min(row.slowest_round, sample.rate);
    row.fastest_round = std::max(row.fastest_round, sample.rate);
    row.median.errors += sample.errors;
    row.median.objects_before = std::min(row.median.objects_before, sample.objects_before);
    row.median.objects_after = std::max(row.median.objects_after, sample.objects_after);
  }
  return row;
}

bool same_group(const Row& one, const Row& other) {
  return one.median.keys == other.median.keys && one.median.algorithm == other.median.algorithm;
}

// In the table: floors before what stands on them, the parts of a floor last.
int order_of(const std::string& work) {
  if (work == "pair" || work == "open") return 0;
  if (work == "generate" || work == "sign") return 2;
  return 1;
}

const Row* find_in(const Report& report, const Row& group, const std::string& work, unsigned concurrency) {
  for (const auto& row : report.rows) {
    if (same_group(row, group) && row.median.work == work && row.median.concurrency == concurrency) return &row;
  }
  return nullptr;
}

const Row* floor_of(const Report& report, const Row& row) {
  const Sample& sample = row.median;
  if (sample.asked_rate > 0 || sample.side == "other" || sample.work == "open") return nullptr;
  if (sample.work == "get") return find_in(report, row, "open", sample.concurrency);
  return best_raw(report, row, sample.work == "pool" ? "sign" : "pair");
}

}  // namespace

std::string label(const Sample& sample) {
  std::string text = "raw " + sample.work + " only";
  if (sample.work == "pair") text = "raw generate+sign";
  if (sample.work == "certificate") text = "POST /certificates";
  if (sample.work == "pool") text = "POST from the pool";
  if (sample.work == "get") text = "GET by id";
  if (sample.work == "open") text = "GET, HTTP only";
  if (sample.work == "engine") text = "pkcs11-tool + openssl";
  if (sample.work == "sync") text = "4 KiB + fdatasync";
  text += " x" + std::to_string(sample.concurrency);
  if (sample.asked_rate > 0) text += " at " + std::to_string(std::lround(sample.asked_rate)) + "/s";
  return text;
}

const Row* find(const Report& report, const std::string& algorithm, const std::string& work, unsigned concurrency) {
  for (const auto& row : report.rows) {
    if (row.median.algorithm == algorithm && row.median.work == work && row.median.concurrency == concurrency) {
      return &row;
    }
  }
  return nullptr;
}

const Row* best_raw(const Report& report, const Row& group, const std::string& work) {
  const Row* best = nullptr;
  for (const auto& row : report.rows) {
    if (!same_group(row, group) || row.median.work != work || row.median.concurrency > kMostFloorThreads) continue;
    if (best == nullptr || row.median.rate > best->median.rate) best = &row;
  }
  return best;
}

Report make_report(const std::vector<Sample>& samples) {
  std::map<std::tuple<std::string, std::size_t, int, std::string, unsigned, double>, std::vector<Sample>> groups;
  for (const auto& sample : samples) {
    groups[{sample.algorithm, sample.keys, order_of(sample.work), sample.work, sample.concurrency, sample.asked_rate}]
        .push_back(sample);
  }
  Report report;
  for (const auto& [key, rounds] : groups) report.rows.push_back(combine(rounds));

  for (auto& row : report.rows) {
    const Row* floor = floor_of(report, row);
    if (floor != nullptr && floor->median.rate > 0) row.ratio = row.median.rate / floor->median.rate;
  }
  for (const auto& row : report.rows) {
    if (row.median.work != "certificate" || row.median.concurrency != 1) continue;
    const Row* raw = find_in(report, row, "pair", 1);
    if (raw == nullptr) continue;
    report.overheads.push_back({row.median.algorithm, row.median.keys, raw->median.p50_ms, row.median.p50_ms,
                                row.median.p50_ms - raw->median.p50_ms});
  }
  return report;
}

void print_table(std::ostream& out, const Report& report, const Circumstances& circumstances) {
  const Machine& machine = circumstances.machine;
  char line[320];
  std::snprintf(line, sizeof line, "machine: %ld cores, %s, %ld MiB, %s, load at start %s\n", machine.cores,
                machine.cpu.c_str(), machine.memory_mib, machine.kernel.c_str(), circumstances.load_average.c_str());
  out << line << "server:  " << circumstances.server_version << " at " << circumstances.commit << ", "
      << circumstances.openssl << "\n"
      << "token:   " << circumstances.module << ", SoftHSM " << circumstances.softhsm << ", "
      << circumstances.token_place << "\n";

  const Row* previous = nullptr;
  for (const auto& row : report.rows) {
    const auto& sample = row.median;
    if (previous == nullptr || !same_group(*previous, row)) {
      std::snprintf(line, sizeof line,
                    "\n%s, about %zu objects in the token\n"
                    "  %-28s %9s %6s %19s %9s %9s %9s %15s %15s %6s %13s\n",
                    sample.algorithm.c_str(), sample.keys, "", "per s", "ratio", "slowest-fastest", "p50 ms", "p99 ms",
                    "p99.9 ms", "CPU us: server", "load generator", "errors", "objects");
      out << line;
    }
    previous = &row;
    char ratio[16] = "";
    if (row.ratio > 0 && order_of(sample.work) < 2) std::snprintf(ratio, sizeof ratio, "%.2f", row.ratio);
    char cpu[2][16] = {"", ""};
    if (sample.side == "http") {
      std::snprintf(cpu[0], sizeof cpu[0], "%.0f", sample.server_cpu_us);
      std::snprintf(cpu[1], sizeof cpu[1], "%.0f", sample.client_cpu_us);
    }
    std::snprintf(line, sizeof line, "  %-28s %9.1f %6s %9.1f-%-9.1f %9.2f %9.2f %9.2f %15s %15s %6zu %6zu-%-6zu\n",
                  label(sample).c_str(), sample.rate, ratio, row.slowest_round, row.fastest_round, sample.p50_ms,
                  sample.p99_ms, sample.p999_ms, cpu[0], cpu[1], sample.errors, sample.objects_before,
                  sample.objects_after);
    out << line;
  }

  out << "\nfsync and fdatasync per request: on the store's files, on all others (the token's among them)\n";
  for (const auto& row : report.rows) {
    const auto& sample = row.median;
    if (sample.side != "http") continue;
    std::snprintf(line, sizeof line, "  %-9s at %5zu objects: %-28s %8.3f %8.3f\n", sample.algorithm.c_str(),
                  sample.keys, label(sample).c_str(), sample.store_syncs, sample.other_syncs);
    out << line;
  }

  out << "\nwhat a certificate costs beyond its PKCS#11 calls (p50, one client, minus p50 of raw x1)\n";
  for (const auto& overhead : report.overheads) {
    std::snprintf(line, sizeof line, "  %-9s at %5zu objects: %8.2f ms - %8.2f ms = %7.2f ms\n",
                  overhead.algorithm.c_str(), overhead.keys, overhead.http_p50_ms, overhead.raw_p50_ms,
                  overhead.overhead_ms);
    out << line;
  }
}

void print_verdicts(std::ostream& out, const std::vector<Verdict>& verdicts) {
  char line[320];
  std::snprintf(line, sizeof line, "\n%-24s %-58s %11s %14s  %-16s %s\n", "figure", "", "value", "goal", "", "floor");
  out << line;
  for (const auto& verdict : verdicts) {
    char value[32] = "-";
    if (verdict.value) std::snprintf(value, sizeof value, "%.3g", *verdict.value);
    if (verdict.value && *verdict.value >= 1000) std::snprintf(value, sizeof value, "%.0f", *verdict.value);
    char goal[32];
    std::snprintf(goal, sizeof goal, "%s %g %s", verdict.at_most ? "<=" : ">=", verdict.goal, verdict.unit.c_str());
    std::string outcome = "not measured";
    if (verdict.met()) {
      outcome = "met";
    } else if (verdict.value) {
      outcome = "missed by " + std::to_string(std::lround(verdict.missed_by() * 100)) + " %";
    }
    std::string floor;
    if (verdict.floor) {
      char number[32];
      std::snprintf(number, sizeof number, *verdict.floor >= 1000 ? "%.0f" : "%.3g", *verdict.floor);
      floor = std::string(number) + " " + verdict.floor_is;
    }
    std::snprintf(line, sizeof line, "%-24s %-58s %11s %14s  %-16s", verdict.name.c_str(), verdict.what.c_str(), value,
                  goal, outcome.c_str());
    out << line << " " << floor << "\n";
  }
}

double worst_ratio(const Report& report, const std::string& algorithm) {
  double worst = 0;
  for (const auto& row : report.rows) {
    if (row.median.work != "certificate" || row.median.concurrency != 8 || row.median.algorithm != algorithm) continue;
    worst = worst == 0 ? row.ratio : std::min(worst, row.ratio);
  }
  return worst;
}

}  // namespace hsmsigner::bench
