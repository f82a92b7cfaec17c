// What Prometheus reads.
#include "api/handlers.h"
#include "metrics/exposition.h"

namespace hsmsigner::api {

Answer show_metrics(const Call& call) {
  for (const auto& [name, value] : call.target.query) invalid_parameter(name, value, "unknown parameter");
  Answer answer;
  answer.body = call.services.monitoring.exposition();
  answer.content_type = metrics::kContentType;
  return answer;
}

}  // namespace hsmsigner::api
