// The wiring: the only place that names every concrete class of the running server.
#pragma once

#include "app/settings.h"
#include "base/secret.h"

namespace hsmsigner::app {

// Serves until SIGINT or SIGTERM, then lets requests under way finish. Prints "ready http://ADDRESS:PORT" on standard
// output, and nothing else there, once connections are accepted. Returns the process's exit code. Call it before any
// other thread starts.
int serve(const Settings& settings, std::vector<Secret> pins);

}  // namespace hsmsigner::app
