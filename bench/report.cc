#include "report.h"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <string_view>
#include <tuple>

namespace hsmsigner::bench {
namespace {

struct Machine {
  long cores = 0;
  std::string cpu;
  std::string kernel;
  long memory_mib = 0;
};

Machine this_machine() {
  Machine machine;
  machine.cores = sysconf(_SC_NPROCESSORS_ONLN);
  machine.memory_mib = sysconf(_SC_PHYS_PAGES) / 1024 * sysconf(_SC_PAGESIZE) / 1024;
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);) {
    if (!line.starts_with("model name")) continue;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) machine.cpu = line.substr(colon + 2);
    break;
  }
  utsname system{};
  if (uname(&system) == 0) machine.kernel = std::string(system.sysname) + " " + system.release + " " + system.machine;
  return machine;
}

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
  row.slowest_round = row.fastest_round = rounds.front().rate;
  for (const auto& sample : rounds) {
    row.slowest_round = std::min(row.slowest_round, sample.rate);
    row.fastest_round = std::max(row.fastest_round, sample.rate);
    row.median.objects_before = std::min(row.median.objects_before, sample.objects_before);
    row.median.objects_after = std::max(row.median.objects_after, sample.objects_after);
  }
  return row;
}

bool same_group(const Row& one, const Row& other) {
  return one.median.keys == other.median.keys && one.median.algorithm == other.median.algorithm;
}

const Row* find(const std::vector<Row>& rows, const Row& group, std::string_view work, unsigned concurrency) {
  for (const auto& row : rows) {
    if (same_group(row, group) && row.median.work == work && row.median.concurrency == concurrency) return &row;
  }
  return nullptr;
}

}  // namespace

Report make_report(const std::vector<Sample>& samples) {
  std::map<std::tuple<std::string, std::size_t, int, std::string, unsigned>, std::vector<Sample>> groups;
  for (const auto& sample : samples) {
    const int order = sample.work == "pair" ? 0 : sample.work == "certificate" ? 1 : 2;
    groups[{sample.algorithm, sample.keys, order, sample.work, sample.concurrency}].push_back(sample);
  }
  Report report;
  for (const auto& [key, rounds] : groups) report.rows.push_back(combine(rounds));

  for (auto& row : report.rows) {
    double best = 0;
    for (const auto& other : report.rows) {
      const bool floor = other.median.work == "pair" && other.median.concurrency <= kMostFloorThreads;
      if (same_group(row, other) && floor) best = std::max(best, other.median.rate);
    }
    if (best > 0) row.ratio = row.median.rate / best;
  }
  for (const auto& row : report.rows) {
    if (row.median.work != "certificate" || row.median.concurrency != 1) continue;
    const Row* raw = find(report.rows, row, "pair", 1);
    if (raw == nullptr) continue;
    report.overheads.push_back({row.median.algorithm, row.median.keys, raw->median.p50_ms, row.median.p50_ms,
                                row.median.p50_ms - raw->median.p50_ms});
  }
  return report;
}

void print_table(std::ostream& out, const Report& report, const Circumstances& circumstances) {
  const Machine machine = this_machine();
  char line[256];
  std::snprintf(line, sizeof line, "machine: %ld cores, %s, %ld MiB, %s\n", machine.cores, machine.cpu.c_str(),
                machine.memory_mib, machine.kernel.c_str());
  out << line << "server:  " << circumstances.server_version << " at " << circumstances.commit << "\n"
      << "token:   " << circumstances.module << ", " << circumstances.token_place << "\n";

  const Row* previous = nullptr;
  for (const auto& row : report.rows) {
    const auto& sample = row.median;
    if (previous == nullptr || !same_group(*previous, row)) {
      std::snprintf(line, sizeof line,
                    "\n%s, about %zu objects in the token\n"
                    "  %-26s %9s %7s %19s %10s %10s %13s\n",
                    sample.algorithm.c_str(), sample.keys, "", "per s", "ratio", "slowest-fastest", "p50 ms", "p99 ms",
                    "objects");
      out << line;
    }
    previous = &row;
    const std::string what = sample.side == "http" ? "POST /certificates x" + std::to_string(sample.concurrency)
                             : sample.work == "pair"
                                 ? "raw generate+sign x" + std::to_string(sample.concurrency)
                                 : "raw " + sample.work + " only x" + std::to_string(sample.concurrency);
    char ratio[16] = "";
    if (sample.work == "pair" || sample.side == "http") std::snprintf(ratio, sizeof ratio, "%.2f", row.ratio);
    std::snprintf(line, sizeof line, "  %-26s %9.1f %7s %9.1f-%-9.1f %10.2f %10.2f %6zu-%-6zu\n", what.c_str(),
                  sample.rate, ratio, row.slowest_round, row.fastest_round, sample.p50_ms, sample.p99_ms,
                  sample.objects_before, sample.objects_after);
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

std::string to_json(const Report& report, const Circumstances& circumstances) {
  const Machine machine = this_machine();
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 1);
  writer.SetFormatOptions(rapidjson::kFormatSingleLineArray);
  writer.SetMaxDecimalPlaces(3);
  writer.StartObject();
  writer.Key("started"), writer.String(circumstances.started);
  writer.Key("machine");
  writer.StartObject();
  writer.Key("cores"), writer.Int64(machine.cores);
  writer.Key("cpu"), writer.String(machine.cpu);
  writer.Key("memory_mib"), writer.Int64(machine.memory_mib);
  writer.Key("kernel"), writer.String(machine.kernel);
  writer.EndObject();
  writer.Key("versions");
  writer.StartObject();
  writer.Key("server"), writer.String(circumstances.server_version);
  writer.Key("commit"), writer.String(circumstances.commit);
  writer.Key("module"), writer.String(circumstances.module);
  writer.Key("compiler"), writer.String(circumstances.compiler);
  writer.EndObject();
  writer.Key("token"), writer.String(circumstances.token_place);
  writer.Key("results");
  writer.StartArray();
  for (const auto& row : report.rows) {
    const auto& sample = row.median;
    writer.StartObject();
    writer.Key("algorithm"), writer.String(sample.algorithm);
    writer.Key("keys"), writer.Uint64(sample.keys);
    writer.Key("side"), writer.String(sample.side);
    writer.Key("work"), writer.String(sample.work);
    writer.Key("concurrency"), writer.Uint(sample.concurrency);
    writer.Key("rounds"), writer.Uint64(row.rounds);
    writer.Key("operations_per_round"), writer.Uint64(sample.operations);
    writer.Key("rate"), writer.Double(sample.rate);
    writer.Key("rate_slowest_round"), writer.Double(row.slowest_round);
    writer.Key("rate_fastest_round"), writer.Double(row.fastest_round);
    writer.Key("ratio_to_best_raw"), writer.Double(row.ratio);
    writer.Key("p50_ms"), writer.Double(sample.p50_ms);
    writer.Key("p99_ms"), writer.Double(sample.p99_ms);
    writer.Key("objects_before"), writer.Uint64(sample.objects_before);
    writer.Key("objects_after"), writer.Uint64(sample.objects_after);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("overhead");
  writer.StartArray();
  for (const auto& overhead : report.overheads) {
    writer.StartObject();
    writer.Key("algorithm"), writer.String(overhead.algorithm);
    writer.Key("keys"), writer.Uint64(overhead.keys);
    writer.Key("raw_p50_ms"), writer.Double(overhead.raw_p50_ms);
    writer.Key("http_p50_ms"), writer.Double(overhead.http_p50_ms);
    writer.Key("overhead_ms"), writer.Double(overhead.overhead_ms);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return std::string(buffer.GetString()) + "\n";
}

double worst_ratio(const Report& report, const std::string& algorithm) {
  double worst = 0;
  for (const auto& row : report.rows) {
    if (row.median.side != "http" || row.median.concurrency != 8 || row.median.algorithm != algorithm) continue;
    worst = worst == 0 ? row.ratio : std::min(worst, row.ratio);
  }
  return worst;
}

}  // namespace hsmsigner::bench
