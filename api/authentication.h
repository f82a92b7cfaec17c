// The credentials of a request: bearer tokens, client certificates, and HTTP Basic at the token endpoint.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/answer.h"
#include "base/secret.h"
#include "service/access.h"

namespace hsmsigner::api {

// Who calls: by the bearer token of Authorization (RFC 6750 2.1), else by the client certificate of the connection.
// `claimed`: see
// service/access.h. Throws Error: auth_not_authenticated when there is neither, invalid_credential, key_too_long,
// key_expired.
service::Identity authenticate(const RequestHead& head, const Peer& peer, service::Access& access,
                               std::string& claimed);

struct BasicCredentials {
  std::string client_id;
  Secret client_secret;
};
// RFC 7617, with the form encoding inside that RFC 6749 2.3.1 asks for. Nothing when Authorization is absent or of
// another scheme. Throws Error{invalid_credential} when it is broken.
std::optional<BasicCredentials> basic_credentials(const RequestHead& head);

}  // namespace hsmsigner::api
