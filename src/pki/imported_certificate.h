// What the formats of certificate files share. Private to this room.
#pragma once

#include <string_view>

#include "pki/certificate.h"

namespace hsmsigner::pki {

// How the HTTP contract calls the field that all of them come in.
inline constexpr std::string_view kCertificateFile = "certificate_file";

// A certificate of at most 65536 octets, with two dates and a public key that signer.h can express; throws Error{invalid_object} with a sentence of that field
// for anything else.
Certificate import_certificate(ByteView der);

}  // namespace hsmsigner::pki
