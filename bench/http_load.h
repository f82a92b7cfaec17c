// Load on the server: POST /certificates from N kept-alive clients.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "base/uuid.h"
#include "closed_loop.h"
#include "raw_floor.h"

namespace hsmsigner::bench {

struct Server {
  std::string url;            // "http://127.0.0.1:8080"
  std::string authorization;  // the header's value, "Bearer …"
};

// The value of the header in a file as curl's `-H @FILE` reads it. Throws std::runtime_error when there is none.
std::string authorization_in(const std::string& path);

// Issues a self-signed authority of that name, whose key and signatures are of that algorithm; returns its id.
// Throws std::runtime_error with the server's answer for anything but 201.
Uuid make_authority(const Server& server, Algorithm algorithm, const std::string& name);

struct HttpOptions {
  Server server;
  Algorithm algorithm = Algorithm::p256;
  std::string authority;  // name of the CA certificate that signs
  unsigned clients = 1;
  std::size_t warm_up = 0;
  std::size_t operations = 0;
};

struct HttpResult {
  LoopResult loop;
  std::set<Uuid> ids;  // of every certificate issued, the warm-up's too: the CKA_IDs of their keys
};

// A latency is that of one whole request. Any answer but 201 ends the measurement: std::runtime_error.
HttpResult measure_http(const HttpOptions& options);

}  // namespace hsmsigner::bench
