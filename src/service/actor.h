// On whose behalf a use case runs: what the caller may do, and what the journal says of who it was.
#pragma once

#include "audit/event.h"
#include "auth/roles.h"

namespace hsmsigner::service {

struct Actor {
  const auth::Caller& caller;  // outlives this object
  audit::Origin origin;

  Actor(const auth::Caller& the_caller, audit::Origin the_origin) : caller(the_caller), origin(std::move(the_origin)) {}
  // Not on behalf of a request.
  Actor(const auth::Caller& the_caller) : caller(the_caller) { origin.account = the_caller.client_id(); }
};

}  // namespace hsmsigner::service
