// What a request is answered, and who asks: between the HTTP server and the routes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/request_head.h"
#include "base/transport.h"

namespace hsmsigner::api {

struct Answer {
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // beside those that every answer carries
  std::string content_type = "application/json";
};

// The other end of a connection.
struct Peer {
  std::string address;                         // an IP address, as text
  std::optional<PeerCertificate> certificate;  // of a TLS client, verified
};

// Reads the request's body to its end; throws Error{malformed_command} when it is too long or broken. Whoever takes it
// wipes it (base/secret.h): it may hold keys and passphrases.
using ReadBody = std::function<std::string()>;

struct Route;  // routes.h

// Throws Error. Calls `read_body` at most once, and only for a body that is wanted. Called by many threads at once.
// `request_id` is what is answered as X-Request-ID. `route` becomes the one that the request found, also when it is
// then refused; it stays as it is when there is none.
using Handler = std::function<Answer(const RequestHead& head, const Peer& peer, const std::string& request_id,
                                     const ReadBody& read_body, const Route*& route)>;

}  // namespace hsmsigner::api
