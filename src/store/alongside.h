// What is written in the same transaction as a change: the event that tells of it, and the answer to keep.
#pragma once

#include "audit/event.h"
#include "store/answer_record.h"

namespace hsmsigner::store {

// Both are looked at on the writer's thread and outlive the call.
struct Alongside {
  const audit::Event* event = nullptr;
  const AnswerRecord* answer = nullptr;
};

}  // namespace hsmsigner::store
