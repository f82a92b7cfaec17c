// Plain TCP, without TLS.
#pragma once

#include "base/transport.h"

namespace hsmsigner::api {

// An AcceptTransport.
std::unique_ptr<Transport> accept_plain(int socket, Deadline deadline);

}  // namespace hsmsigner::api
