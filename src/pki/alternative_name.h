// subjectAltName (RFC 5280 4.2.1.6) as OpenSSL has it and back. Private to this room.
#pragma once

#include <vector>

#include "pki/certificate.h"
#include "pki/openssl.h"

namespace hsmsigner::pki {

// Without the kinds of GeneralName that AlternativeName has no word for. `names` may be nullptr.
std::vector<AlternativeName> to_alternative_names(const GENERAL_NAMES* names);

// Throws Error{invalid_object}, naming the field, for what cannot be encoded.
GeneralNamesPtr make_general_names(const std::vector<AlternativeName>& names);

// IA5String, narrowed to what can stand in a host name, an address or a URL; as make_general_names() throws.
Asn1StringPtr make_ia5(const char* field, std::string_view value);

}  // namespace hsmsigner::pki
