// What a Certificate shares among its copies. Private to this room.
#pragma once

#include "pki/certificate.h"
#include "pki/openssl.h"

namespace hsmsigner::pki {

// OpenSSL takes X509 by non-const pointer even to read it (it caches decoded extensions, under its own lock), hence
// get() on a const Impl.
struct Certificate::Impl {
  X509Ptr x509;
  Bytes der;  // as it came: re-encoding could differ from what was signed
};

// Nothing unless `der` is exactly one certificate.
X509Ptr parse_x509(ByteView der);

}  // namespace hsmsigner::pki
