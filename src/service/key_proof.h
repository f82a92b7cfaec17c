// Whether a key in the token is what a record says of it.
#pragma once

#include <optional>
#include <string>

#include "hsm/token.h"
#include "service/key_pool.h"

namespace hsmsigner::service {

// Reads what the token says of the key, and has it sign a random digest, which must verify under the record's public
// key: the record comes from a file, the key from the token, and neither is believed without the other. Writes what the
// token says into the record. Returns what is wrong, as a sentence; nothing when all is right. Throws what the token
// throws, Error{object_not_present} when it has no such key.
std::optional<std::string> prove(hsm::Token& token, StockKey& key, Deadline deadline);

// A digest that stands for no certificate and no message: of random octets and a text of its own.
Bytes proof_digest();

}  // namespace hsmsigner::service
