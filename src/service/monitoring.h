// What is read at the moment of a scrape: pool, token, store and process. None of them is asked anything that takes
// time; the token and the database are not asked at all.
#pragma once

#include <string>
#include <vector>

#include "hsm/token.h"
#include "metrics/process.h"
#include "metrics/request_metrics.h"
#include "service/key_pool.h"
#include "store/store.h"

namespace hsmsigner::service {

// A token and the keys made ahead in it; null: none are made.
struct MonitoredToken {
  const hsm::Token& token;
  const KeyPool* pool;
};

// Thread safe.
class Monitoring {
 public:
  // All of them outlive this object. No two tokens have the same label.
  Monitoring(std::vector<MonitoredToken> tokens, const store::Store& store, const metrics::RequestMetrics& requests)
      : tokens_(std::move(tokens)), store_(store), requests_(requests) {}

  // See metrics/exposition.h.
  std::string exposition() const;

 private:
  const std::vector<MonitoredToken> tokens_;
  const store::Store& store_;
  const metrics::RequestMetrics& requests_;
  const metrics::ProcessMetrics process_;
};

}  // namespace hsmsigner::service
