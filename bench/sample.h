// One measurement: a closed loop against the module or against the server. One line of JSON each, so that the runs of
// one bench (each a process of its own) can be gathered in one file.
#pragma once

#include <cstddef>
#include <string>

#include "closed_loop.h"

namespace hsmsigner::bench {

struct Sample {
  std::string side;  // "raw", "http" or "other"
  // raw: "pair" (generate + sign), "generate", "sign"; http: "certificate", "pool" (one whose key was made ahead),
  // "get", "open"; others' tools: "engine" (pkcs11-tool and openssl), "sync" (4 KiB and fdatasync on the token's disk)
  std::string work;
  std::string algorithm;  // "P-256", "RSA-2048", "RSA-4096"
  unsigned concurrency = 0;
  std::size_t keys = 0;  // nominal fill of the token, the same for every sample of a group
  unsigned round = 0;
  std::size_t operations = 0;
  double seconds = 0;
  double rate = 0;  // operations per second
  double p50_ms = 0;
  double p99_ms = 0;
  double p999_ms = 0;
  double asked_rate = 0;           // a fixed rate; 0: a closed loop
  double server_cpu_us = 0;        // processor time per operation: of the server, and
  double client_cpu_us = 0;        // of the load generator
  double store_syncs = 0;          // fsync and fdatasync per operation, on the store's files, and
  double other_syncs = 0;          // on all others
  std::size_t errors = 0;          // answers that were not the expected ones
  std::size_t objects_before = 0;  // token objects as C_FindObjects counts them
  std::size_t objects_after = 0;   // before the clean-up that follows the measurement
};

// Fills in operations, seconds, rate and the percentiles.
void take(Sample& sample, const LoopResult& result);

std::string to_json_line(const Sample& sample);
// Throws std::runtime_error for text that to_json_line did not write.
Sample sample_from_json(const std::string& line);

}  // namespace hsmsigner::bench
