// What is read at the moment of a scrape: pools, tokens, store and process. None of them is asked anything that takes
// time; tokens and the database are not asked at all.
#pragma once

#include <string>
#include <vector>

#include "hsm/token.h"
#include "metrics/process.h"
#include "metrics/request_metrics.h"
#include "service/key_pools.h"
#include "service/token_set.h"
#include "store/store.h"

namespace hsmsigner::service {

// Thread safe.
class Monitoring {
 public:
  // All of them outlive this object. `pools` is null when no keys are made ahead.
  Monitoring(const TokenSet& tokens, const KeyPools* pools, const store::Store& store,
             const metrics::RequestMetrics& requests);

  // See metrics/exposition.h.
  std::string exposition() const;

 private:
  // As the metrics name it: by its label, or, when two tokens have the same, all of them by their serial numbers.
  struct NamedToken {
    std::string name;
    const hsm::Token& token;
    const KeyPool* pool;  // null: none
  };

  std::vector<NamedToken> tokens_;
  const store::Store& store_;
  const metrics::RequestMetrics& requests_;
  const metrics::ProcessMetrics process_;
};

}  // namespace hsmsigner::service
