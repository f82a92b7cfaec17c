// Answers kept for requests that are sent again (Idempotency-Key). They are written with what they tell of: see
// CertificateStore::insert and AccountStore.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.h"
#include "store/answer_record.h"

namespace hsmsigner::store {

// Thread safe. Errors as in certificate_store.h.
class AnswerStore {
 public:
  virtual ~AnswerStore() = default;

  // One of `not_before` or later; older ones are as good as gone.
  virtual std::optional<AnswerRecord> find(const std::string& client_id, const std::string& key_hash,
                                           UnixTime not_before) = 0;
  // Removes what is older, at most `limit` of them; returns how many.
  virtual std::size_t erase_before(UnixTime time, std::size_t limit, Deadline deadline) = 0;
};

}  // namespace hsmsigner::store
