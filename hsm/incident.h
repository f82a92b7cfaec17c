// What happens to a token while it is in use, for who keeps a journal. Values only.
#pragma once

#include <optional>
#include <string>

#include "base/uuid.h"

namespace hsmsigner::hsm {

// TokenOptions::on_incident is told from whichever thread meets it, with no lock held. It must return at once, must not
// throw, and must not call the token.
struct TokenIncident {
  enum class Kind {
    lost,           // calls fail for a reason that lies in the session or the token; once until `back`
    back,           // after `lost`, the token answers again
    key_destroyed,  // a key that belongs to no certificate, of a request that failed or came too late, is gone
  };

  Kind kind;
  std::string code;         // lost: the return code by name, "CKR_DEVICE_REMOVED"
  std::optional<Uuid> key;  // key_destroyed: its CKA_ID
};

}  // namespace hsmsigner::hsm
