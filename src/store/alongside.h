// What is written in the same transaction as a change: the event that tells of it, the answer to keep, and the key of
// the pool that it uses up.
#pragma once

#include "audit/event.h"
#include "store/answer_record.h"
#include "store/pool_key_record.h"

namespace hsmsigner::store {

// All are looked at on the writer's thread and outlive the call.
struct Alongside {
  const audit::Event* event = nullptr;
  const AnswerRecord* answer = nullptr;
  // Removed from the pool, or from the plans (key_pool_store.h); throws Error{object_not_present} when its owner does
  // not hold it (any more).
  const PoolClaim* pool_key = nullptr;
};

}  // namespace hsmsigner::store
