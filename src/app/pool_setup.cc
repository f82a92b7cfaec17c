#include "app/pool_setup.h"

#include "service/pool_demand.h"

namespace hsmsigner::app {

service::PoolPolicy pool_policy(const Settings& settings) {
  service::PoolPolicy policy;
  for (const std::string& text : settings.pool.classes) {
    // The settings took no other text.
    policy.classes.push_back(service::parse_marks(text).value());
  }
  policy.max_keys = settings.pool.max_keys;
  policy.parallel = settings.pool.parallel;
  policy.adopt_orphans = settings.pool.adopt_orphans;
  return policy;
}

}  // namespace hsmsigner::app
