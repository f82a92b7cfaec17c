// How OpenSSL reaches a socket: never blocking, never raising SIGPIPE. Private to this room.
#pragma once

#include "tls/openssl.h"

namespace hsmsigner::tls {

// Does not own the socket.
BioPtr socket_bio(int socket);

}  // namespace hsmsigner::tls
