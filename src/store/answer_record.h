// What was answered to a request with an Idempotency-Key, so that it can be answered once more.
#pragma once

#include <string>

#include "base/clock.h"

namespace hsmsigner::store {

// Nothing of it tells what the key, the request or the answer was to who has the database only.
struct AnswerRecord {
  std::string client_id;     // whose key it is
  std::string key_hash;      // of the Idempotency-Key; with client_id the primary key
  std::string request_hash;  // of method, path, query and body
  std::string sealed;        // the answer, encrypted; text
  UnixTime created_at;
  // When written: an answer under the same key that is older than this is as good as gone, and is replaced. Not stored.
  UnixTime replaces_before{};
};

}  // namespace hsmsigner::store
