// What each call costs at a given size of the store, over HTTP.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "http_load.h"

namespace hsmsigner::bench {

// One number of one round; one line of JSON each.
struct Figure {
  std::string name;  // "get_by_id_p50_us"
  std::size_t certificates = 0;
  unsigned round = 0;
  double value = 0;
};
std::string to_json_line(const Figure& figure);

struct GrowthOptions {
  Server server;
  std::string scoped_authorization;  // of an account that may read the filled folders only
  std::string authority;             // name of the CA certificate that signs
  std::size_t certificates = 0;      // in the two folders of store_fill.h
  std::size_t reads = 300;           // of each kind
  std::size_t writes = 40;
  double load_seconds = 3;  // of GET by id with 64 clients
};

// p50 of each call with one client, in microseconds, and GETs a second with 64 clients. What it issues it deletes.
// Throws std::runtime_error for an answer that is not the expected one.
std::vector<Figure> measure_growth(const GrowthOptions& options);

struct FlatnessOptions {
  GrowthOptions calls;
  double seconds = 600;
  int server_process = 0;
};

// Eight clients read, list, issue and delete all the time; the server's resident memory is looked at meanwhile.
// Figures: resident_start_mb and resident_end_mb, the medians of the first and the last quarter of the time after a
// warm-up of a tenth of it; keys_between, how many keys were made and destroyed from the one to the other;
// resident_largest_mb; calls_per_second.
std::vector<Figure> measure_flatness(const FlatnessOptions& options);

// The smaller one of the middle; 0 of none.
double median_of(std::vector<double> values);

// From figures to a table and JSON: medians over the rounds, and the ratio of the largest size to the smallest, which
// is the median of each round's.
void print_growth(std::ostream& out, const std::vector<Figure>& figures);
std::string growth_json(const std::vector<Figure>& figures, const std::string& commit, const std::string& started);
Figure figure_from_json(const std::string& line);

}  // namespace hsmsigner::bench
