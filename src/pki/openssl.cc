#include "pki/openssl.h"

namespace hsmsigner::pki {

ByteView content_of(const ASN1_STRING* string) noexcept {
  return {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

Asn1StringPtr make_string(int type, ByteView content) {
  Asn1StringPtr string = require_pointer(Asn1StringPtr(ASN1_STRING_type_new(type)), "ASN1_STRING_type_new");
  require(ASN1_STRING_set(string.get(), content.data(), static_cast<int>(content.size())), "ASN1_STRING_set");
  return string;
}

}  // namespace hsmsigner::pki
