// OpenSSL's types as owners. Private to this room: the others that use OpenSSL (hsm, auth, tls) have their own.
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/error.h"

namespace hsmsigner::pki {

template <auto free_function>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const noexcept {
    free_function(object);
  }
};
struct OpensslMemoryFree {
  void operator()(void* memory) const noexcept { OPENSSL_free(memory); }
};

using Asn1StringPtr = std::unique_ptr<ASN1_STRING, OpensslFree<ASN1_STRING_free>>;
using Asn1TimePtr = std::unique_ptr<ASN1_TIME, OpensslFree<ASN1_TIME_free>>;
using AuthorityInfoAccessPtr = std::unique_ptr<AUTHORITY_INFO_ACCESS, OpensslFree<AUTHORITY_INFO_ACCESS_free>>;
using AuthorityKeyIdPtr = std::unique_ptr<AUTHORITY_KEYID, OpensslFree<AUTHORITY_KEYID_free>>;
using BasicConstraintsPtr = std::unique_ptr<BASIC_CONSTRAINTS, OpensslFree<BASIC_CONSTRAINTS_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, OpensslFree<BN_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free>>;
using EvpPkeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using ExtendedKeyUsagePtr = std::unique_ptr<EXTENDED_KEY_USAGE, OpensslFree<EXTENDED_KEY_USAGE_free>>;
using GeneralNamePtr = std::unique_ptr<GENERAL_NAME, OpensslFree<GENERAL_NAME_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslFree<GENERAL_NAMES_free>>;
using OpensslBytes = std::unique_ptr<unsigned char, OpensslMemoryFree>;
using OpensslText = std::unique_ptr<char, OpensslMemoryFree>;
using X509NamePtr = std::unique_ptr<X509_NAME, OpensslFree<X509_NAME_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using X509PubkeyPtr = std::unique_ptr<X509_PUBKEY, OpensslFree<X509_PUBKEY_free>>;

// Empties this thread's OpenSSL error queue on the way in (nothing stale is blamed on this call) and out.
class CleanErrorQueue {
 public:
  CleanErrorQueue() noexcept;
  ~CleanErrorQueue();
  CleanErrorQueue(const CleanErrorQueue&) = delete;
  CleanErrorQueue& operator=(const CleanErrorQueue&) = delete;
};

// Drains the error queue into the cause of an Error{internal_error}. `what` names the step that failed.
[[noreturn]] void throw_openssl(std::string_view what, SourcePlace where = SourcePlace::here());

// For OpenSSL's "1 is success, anything else is not".
inline void require(int result, std::string_view what, SourcePlace where = SourcePlace::here()) {
  if (result != 1) throw_openssl(what, where);
}
// For functions and constructors that return nullptr when they fail.
template <typename Pointer>
Pointer require_pointer(Pointer pointer, std::string_view what, SourcePlace where = SourcePlace::here()) {
  if (!pointer) throw_openssl(what, where);
  return pointer;
}

const EVP_MD* evp_md(Digest digest) noexcept;
Bytes hash(Digest digest, ByteView data);

// The octets of an i2d_… function: i2d([](unsigned char** out) { return i2d_X509_NAME(name, out); }).
template <typename Encode>
Bytes i2d(Encode encode, SourcePlace where = SourcePlace::here()) {
  const int size = encode(nullptr);
  if (size <= 0) throw_openssl("encode DER", where);
  Bytes der(static_cast<std::size_t>(size));
  unsigned char* end = der.data();
  if (encode(&end) != size) throw_openssl("encode DER", where);
  return der;
}

// The content octets of any ASN1_STRING. Valid while the string lives.
ByteView content_of(const ASN1_STRING* string) noexcept;
// An ASN1_STRING of the given V_ASN1_… type with these content octets.
Asn1StringPtr make_string(int type, ByteView content);

inline ByteView octets_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace hsmsigner::pki
