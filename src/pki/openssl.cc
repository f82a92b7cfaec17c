#include "pki/openssl.h"

#include <openssl/err.h>

#include <array>
#include <string>

namespace hsmsigner::pki {

CleanErrorQueue::CleanErrorQueue() noexcept { ERR_clear_error(); }
CleanErrorQueue::~CleanErrorQueue() { ERR_clear_error(); }

void throw_openssl(std::string_view what, SourcePlace where) {
  std::string cause(what);
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> text{};
    ERR_error_string_n(code, text.data(), text.size());
    cause += "; ";
    cause += text.data();
  }
  throw Error(ErrorKind::internal_error, {}, where).with_cause(std::move(cause));
}

const EVP_MD* evp_md(Digest digest) noexcept {
  switch (digest) {
    case Digest::md5: return EVP_md5();
    case Digest::sha1: return EVP_sha1();
    case Digest::sha256: return EVP_sha256();
    case Digest::sha384: return EVP_sha384();
    case Digest::sha512: return EVP_sha512();
  }
  return nullptr;
}

Bytes hash(Digest digest, ByteView data) {
  Bytes value(info(digest).size);
  unsigned int size = 0;
  require(EVP_Digest(data.data(), data.size(), value.data(), &size, evp_md(digest), nullptr), "EVP_Digest");
  return value;
}

ByteView content_of(const ASN1_STRING* string) noexcept {
  return {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

Asn1StringPtr make_string(int type, ByteView content) {
  Asn1StringPtr string = require_pointer(Asn1StringPtr(ASN1_STRING_type_new(type)), "ASN1_STRING_type_new");
  require(ASN1_STRING_set(string.get(), content.data(), static_cast<int>(content.size())), "ASN1_STRING_set");
  return string;
}

}  // namespace hsmsigner::pki
