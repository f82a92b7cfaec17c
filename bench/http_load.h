// Load on the server over HTTP/1.1 from N kept-alive clients.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "base/uuid.h"
#include "closed_loop.h"
#include "raw_floor.h"
#include "sync_count.h"

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

enum class Call {
  certificate,  // POST /certificates
  get,          // GET /certificates/{id}, of those on the first page of the list
  open,         // GET of the keys of access tokens: no caller, no store; what HTTP itself takes
};

struct HttpOptions {
  Server server;
  Call call = Call::certificate;
  Algorithm algorithm = Algorithm::p256;
  std::string authority;  // name of the CA certificate that signs
  unsigned clients = 1;
  std::size_t warm_up = 0;
  std::size_t operations = 0;
  double per_second = 0;  // as in CrowdLoad
  int server_process = 0;
  std::string sync_file;  // empty: nothing counts there
};

struct HttpResult {
  LoopResult loop;
  std::set<Uuid> ids;      // of every certificate issued, the warm-up's too: the CKA_IDs of their keys
  std::size_t errors = 0;  // answers with another status than the expected one
  std::string first_error;
  // While the measured requests ran:
  double server_seconds = 0;  // of processor time
  double client_seconds = 0;
  SyncCounts syncs;
};

// A latency is that of one whole request. Throws std::runtime_error when a connection breaks.
HttpResult measure_http(const HttpOptions& options);

}  // namespace hsmsigner::bench
