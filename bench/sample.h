// One measurement: a closed loop against the module or against the server. One line of JSON each, so that the runs of
// one bench (each a process of its own) can be gathered in one file.
#pragma once

#include <cstddef>
#include <string>

#include "closed_loop.h"

namespace hsmsigner::bench {

struct Sample {
  std::string side;       // "raw" or "http"
  std::string work;       // raw: "pair" (generate + sign), "generate", "sign"; http: "certificate"
  std::string algorithm;  // "P-256", "RSA-2048"
  unsigned concurrency = 0;
  std::size_t keys = 0;  // nominal fill of the token, the same for every sample of a group
  unsigned round = 0;
  std::size_t operations = 0;
  double seconds = 0;
  double rate = 0;  // operations per second
  double p50_ms = 0;
  double p99_ms = 0;
  std::size_t objects_before = 0;  // token objects as C_FindObjects counts them
  std::size_t objects_after = 0;   // before the clean-up that follows the measurement
};

// Fills in operations, seconds, rate and the percentiles.
void take(Sample& sample, const LoopResult& result);

std::string to_json_line(const Sample& sample);
// Throws std::runtime_error for text that to_json_line did not write.
Sample sample_from_json(const std::string& line);

}  // namespace hsmsigner::bench
