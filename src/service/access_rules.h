// Refusals that follow from the table of roles (auth/roles.h).
#pragma once

#include "auth/roles.h"
#include "base/container.h"

namespace hsmsigner::service {

// Throws Error{auth_unauthorized} unless one of the caller's grants allows it in this container.
void require(const auth::Caller& caller, auth::Operation operation, const Container& container);
// Unless one of them allows it somewhere.
void require(const auth::Caller& caller, auth::Operation operation);

}  // namespace hsmsigner::service
