// What earlier runs left in bench/results/, read back.
#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "goals.h"

namespace hsmsigner::bench {

struct Result {
  std::string started;
  std::string commit;
  std::string mode;
  std::string machine;                                  // cores and CPU
  std::vector<std::pair<std::string, double>> numbers;  // by what they are, in the order of the file
};

// Of the text that to_json wrote, now or when it had fewer keys. Throws std::runtime_error for anything else.
Result result_from_json(const std::string& json);

// Of the text that growth_json wrote.
GrowthFigures growth_figures(const std::string& json);

// Each number that both have, and its change.
void print_comparison(std::ostream& out, const Result& before, const Result& now);

// The figures of a run as rows of a Markdown table.
void print_markdown(std::ostream& out, const std::string& json);

}  // namespace hsmsigner::bench
