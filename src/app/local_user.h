// Who runs this command, for the journal.
#pragma once

#include "audit/event.h"

namespace hsmsigner::app {

// Its account is "local:NAME", after the user that the process runs as.
audit::Origin local_user();

}  // namespace hsmsigner::app
