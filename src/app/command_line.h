// The command line: what hsm-signer can be told to do, its help and its exit codes.
#pragma once

#include "base/error.h"

namespace hsmsigner::app {

inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;  // the command line or the configuration is at fault

// Runs one command and returns the exit code of the process; 0 is success. Faults of the command line itself are
// reported here; an Error that a command throws goes up. Call it before any other thread starts.
int run(int argc, char** argv);

// Prints an Error to standard error, one line per fault, and returns the exit code that fits it.
int report(const Error& error);

}  // namespace hsmsigner::app
