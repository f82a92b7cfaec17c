// From the samples of one run to what people read (a table) and what is kept (JSON).
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "goals.h"
#include "machine.h"
#include "sample.h"

namespace hsmsigner::bench {

// The rounds of one measurement, taken together.
struct Row {
  Sample
      median;  // each number the median over the rounds; errors their sum; objects the smallest and the largest count
  std::size_t rounds = 0;
  double slowest_round = 0;  // rates
  double fastest_round = 0;
  // Of the rate to the floor of the same algorithm and fill: for what takes a key made ahead, the best raw rate of
  // signing, for GET by id the rate of HTTP alone with as many clients, else the best raw rate of generate + sign; best
  // of up to 4 threads. 0: there is none.
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

// "POST /certificates x8": what a row measures, without algorithm and fill.
std::string label(const Sample& sample);

// The first row of the report that is this one; null: not measured.
const Row* find(const Report& report, const std::string& algorithm, const std::string& work, unsigned concurrency);
// The row of raw generate + sign, or of another raw work, that is fastest from up to 4 threads.
const Row* best_raw(const Report& report, const Row& group, const std::string& work);

// Where and with what the run was made; one line each.
struct Circumstances {
  Machine machine;
  std::string server_version;
  std::string commit;
  std::string token_place;  // directory, file system and its options
  std::string compiler;
  std::string module;
  std::string softhsm;
  std::string openssl;
  std::string load_average;  // when the run began
  std::string started;       // UTC, ISO 8601
  std::string mode;          // "full" or "quick"
};

void print_table(std::ostream& out, const Report& report, const Circumstances& circumstances);
void print_verdicts(std::ostream& out, const std::vector<Verdict>& verdicts);
// `growth`: what scripts/growth wrote, taken over as it is; empty: none.
std::string to_json(const Report& report, const std::vector<Verdict>& verdicts, const Circumstances& circumstances,
                    const std::string& growth);

// The smallest ratio that HTTP reaches with eight clients for this algorithm, over all fills; 0 when not measured.
double worst_ratio(const Report& report, const std::string& algorithm);

}  // namespace hsmsigner::bench
