// A PIN that a token once refused is never sent to it again by this process: real tokens lock after three tries.
#pragma once

#include <string>

#include "base/secret.h"

namespace hsmsigner::hsm::pin_guard {

// `token` is what tells the token from others: serial number and label. Thread safe.
bool was_refused(const std::string& token, const Secret& pin);
void note_refused(const std::string& token, const Secret& pin);

}  // namespace hsmsigner::hsm::pin_guard
