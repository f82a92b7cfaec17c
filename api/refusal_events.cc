#include "api/refusal_events.h"

#include "api/errors.h"

namespace hsmsigner::api {
namespace {

std::optional<audit::EventKind> kind_of(const RequestTraits& request, const Error& error) {
  const int status = row_of(error.kind()).status;
  if (status == 401) return audit::EventKind::authentication_failed;
  if (!request.authenticated) return std::nullopt;
  if (error.kind() == ErrorKind::auth_unauthorized) return audit::EventKind::authorization_failed;
  const bool reads_only = request.method == "GET" || request.method == "HEAD";
  if (request.pattern.empty() || reads_only) return std::nullopt;
  return audit::EventKind::request_refused;
}

}  // namespace

std::optional<audit::Event> refusal_event(const RequestTraits& request, const Error& error) {
  const auto kind = kind_of(request, error);
  if (!kind) return std::nullopt;
  const bool ours = row_of(error.kind()).status >= 500;
  audit::Event event{.kind = *kind,
                     .outcome = ours ? audit::Outcome::failed : audit::Outcome::refused,
                     .origin = request.origin,
                     .object = request.object,
                     .container = request.container};
  std::string reason;
  for (const std::string& detail : error.details()) reason += (reason.empty() ? "" : "; ") + detail;
  event.details = {{"request", request.method + " " + request.pattern},
                   {"error", std::string(to_string(error.kind()))},
                   {"reason", reason}};
  return event;
}

}  // namespace hsmsigner::api
