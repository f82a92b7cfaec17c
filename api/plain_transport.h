// Plain TCP, without TLS.
#pragma once

#include "base/transport.h"

namespace hsmsigner::api {

AcceptTransport plain_transport();

}  // namespace hsmsigner::api
