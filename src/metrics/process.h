// The process as Linux tells of it, under the names that every exporter uses.
#pragma once

#include "metrics/exposition.h"

namespace hsmsigner::metrics {

// Thread safe.
class ProcessMetrics {
 public:
  // Reads when the process began; that a later step of the clock would move it is why it is read once.
  ProcessMetrics();

  // What cannot be read is left out.
  void add_to(Exposition& exposition) const;

 private:
  double start_time_ = 0;  // in seconds since the Unix epoch; 0: not known
};

}  // namespace hsmsigner::metrics
