// What the server's process has taken so far, as the system counts it.
#pragma once

#include <string>

#include "sync_count.h"

namespace hsmsigner::bench {

// Processor time in seconds, user and system, of all threads. Throws std::runtime_error when there is no such process.
double processor_seconds(int process);
double own_processor_seconds();
// Resident memory in MB (10^6 octets).
double resident_megabytes(int process);

// The counts that a preloaded sync_count.cc keeps in this file; throws std::runtime_error when it cannot be read.
SyncCounts sync_counts(const std::string& file);

}  // namespace hsmsigner::bench
