// What a request means: the one table of routes, and the checks in their fixed order: path and version, credential,
// action, method, role, Accept; then each handler's own: query, body.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/answer.h"
#include "api/call.h"
#include "api/method_not_supported.h"
#include "auth/roles.h"
#include "base/error.h"

namespace hsmsigner::api {

// Who comes in.
enum class Admission {
  open,    // everybody
  holder,  // every account, even with a secret that it has to rotate first
  caller,  // every account
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // as in /openapi.json
  Admission admission;
  std::optional<auth::Operation> operation;  // needed somewhere at least; where is the handler's to ask
  Answer (*handler)(const Call& call);
  bool secret_body = false;  // the body may hold a key or a passphrase, so the journal has no digest of it
  std::string_view answers = "application/json";  // the media type; "": the handler looks at Accept itself
};

// HEAD is GET without its body, and has no row.
std::span<const Route> routes() noexcept;

class Router {
 public:
  Router(Services services, std::chrono::milliseconds request_timeout)
      : services_(services), request_timeout_(request_timeout) {}

  // See api::Handler. Thread safe.
  Answer answer(const RequestHead& head, const Peer& peer, const std::string& request_id, const ReadBody& read_body,
                const Route*& route) const;

 private:
  Answer answer(const RequestHead& head, const Peer& peer, const ReadBody& read_body, RequestTraits& traits,
                const Route*& route) const;

  Services services_;
  std::chrono::milliseconds request_timeout_;
};

}  // namespace hsmsigner::api
