// From the samples of one run to what people read (a table) and what is kept (JSON).
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "sample.h"

namespace hsmsigner::bench {

// The rounds of one measurement, taken together.
struct Row {
  Sample median;  // rate, p50 and p99 are each the median over the rounds; objects the smallest and the largest count
  std::size_t rounds = 0;
  double slowest_round = 0;  // rates
  double fastest_round = 0;
  // Of the rate to the best raw rate of generate + sign from up to 4 threads, same algorithm and fill.
  double ratio = 0;
};

// What a certificate costs beyond its PKCS#11 calls: p50 with one client minus p50 with one raw thread.
struct Overhead {
  std::string algorithm;
  std::size_t keys = 0;
  double raw_p50_ms = 0;
  double http_p50_ms = 0;
  double overhead_ms = 0;
};

struct Report {
  std::vector<Row> rows;
  std::vector<Overhead> overheads;
};

Report make_report(const std::vector<Sample>& samples);

// Where and with what the run was made; one line each.
struct Circumstances {
  std::string server_version;
  std::string commit;
  std::string token_place;  // directory and file system
  std::string compiler;
  std::string module;
  std::string started;  // UTC, ISO 8601
};

void print_table(std::ostream& out, const Report& report, const Circumstances& circumstances);
std::string to_json(const Report& report, const Circumstances& circumstances);

// The smallest ratio that HTTP reaches with eight clients for this algorithm, over all fills; 0 when not measured.
double worst_ratio(const Report& report, const std::string& algorithm);

}  // namespace hsmsigner::bench
