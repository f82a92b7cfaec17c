// The figures that the service is to reach, each beside its floor: one table.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hsmsigner::bench {

struct Report;

struct Verdict {
  std::string name;  // "sustained_p256"
  std::string what;
  std::string unit;
  double goal = 0;
  bool at_most = false;         // the goal is an upper bound
  std::optional<double> value;  // nothing: not measured in this run
  std::optional<double> floor;  // the same thing without the service
  std::string floor_is;         // what that is, with its unit

  bool met() const { return value && (at_most ? *value <= goal : *value >= goal); }
  // By how much of the goal it is missed; 0 when it is met.
  double missed_by() const;
};

// What scripts/growth measured, by the name of the figure; empty: it did not run.
struct GrowthFigures {
  std::map<std::string, double> ratios;  // the large store's to the small one's
  std::map<std::string, double> large;   // the large store's own
};

// Every goal, in the order of the table, measured or not.
std::vector<Verdict> judge(const Report& report, const GrowthFigures& growth);

}  // namespace hsmsigner::bench
