// The signals that end this program in an orderly way.
#pragma once

#include <signal.h>

namespace hsmsigner::app {

inline sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace hsmsigner::app
