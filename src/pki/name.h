// A SubjectName as OpenSSL's X509_NAME. Private to this room.
#pragma once

#include "pki/certificate_builder.h"
#include "pki/openssl.h"

namespace hsmsigner::pki {

// Throws Error{invalid_object}, naming the field, for text that its string type or RFC 5280's bounds refuse.
X509NamePtr make_name(const SubjectName& subject);

}  // namespace hsmsigner::pki
