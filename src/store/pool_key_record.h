// The durable record of a key pair that waits in the token for its certificate.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/key_class.h"
#include "base/uuid.h"
#include "store/certificate_record.h"

namespace hsmsigner::store {

struct PoolKeyRecord {
  Uuid id;  // CKA_ID, and the id of the certificate to come
  KeyClass key_class;
  std::string public_key_pem;
  KeyRecord key;
  UnixTime created_at;
};

// One key of the pool, and the instance that holds it.
struct PoolClaim {
  Uuid id;
  std::string owner;
};

}  // namespace hsmsigner::store
