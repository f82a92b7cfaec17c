// Names: a SubjectName as OpenSSL's X509_NAME, and what is shown of one. Private to this room.
#pragma once

#include <string>

#include "pki/certificate_builder.h"
#include "pki/openssl.h"

namespace hsmsigner::pki {

// Throws Error{invalid_object}, naming the field, for text that its string type or RFC 5280's bounds refuse.
X509NamePtr make_name(const SubjectName& subject);

// "/C=US/CN=x"
std::string one_line(const X509_NAME* name);
// 8 hexadecimal digits, as `openssl x509 -subject_hash_old` prints them.
std::string hash_old(const X509_NAME* name);

}  // namespace hsmsigner::pki
