// How an answer comes to be kept with what it tells of (Idempotency-Key), in one transaction.
#pragma once

#include <functional>

#include "store/answer_record.h"
#include "store/certificate_record.h"

namespace hsmsigner::service {

// Makes the row of the answer to a request that made or changed `record`. Empty: nothing is kept.
using ComposeAnswer = std::function<store::AnswerRecord(const store::CertificateRecord& record)>;

}  // namespace hsmsigner::service
