// What the journal is told of a request that was not done.
#pragma once

#include <optional>
#include <string>

#include "audit/event.h"
#include "base/error.h"

namespace hsmsigner::api {

// What is known of a request when it fails; the later it fails, the more.
struct RequestTraits {
  audit::Origin origin;
  std::string method;
  std::string pattern;    // of the route; "": none was found
  std::string object;     // a certificate's or an account's id in the path
  std::string container;  // "folder:Payments"
  bool authenticated = false;
};

// Who could not show who it is, who may not, and what would have changed or given out something and did not. Nothing
// for the rest: a faulty read decides nothing.
std::optional<audit::Event> refusal_event(const RequestTraits& request, const Error& error);

}  // namespace hsmsigner::api
