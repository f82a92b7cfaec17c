// The settings of the pool of keys, as the services take them.
#pragma once

#include "app/settings.h"
#include "service/pool_filler.h"

namespace hsmsigner::app {

service::PoolPolicy pool_policy(const Settings& settings);

}  // namespace hsmsigner::app
