// OpenSSL's PKCS#12 types as owners. Private to this room.
#pragma once

#include <openssl/pkcs12.h>

#include "pki/openssl.h"

namespace hsmsigner::pki {

inline void free_bags(STACK_OF(PKCS12_SAFEBAG) * bags) noexcept {
  sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}
inline void free_safes(STACK_OF(PKCS7) * safes) noexcept { sk_PKCS7_pop_free(safes, PKCS7_free); }
// Of a file that was read, which may hold a private key in the clear: OpenSSL would not wipe the octets.
void free_read_safes(STACK_OF(PKCS7) * safes) noexcept;
void free_read_file(PKCS12* file) noexcept;

using EncryptedInfoPtr = std::unique_ptr<X509_SIG, OpensslFree<X509_SIG_free>>;
using Pkcs12Ptr = std::unique_ptr<PKCS12, OpensslFree<PKCS12_free>>;
using ReadFilePtr = std::unique_ptr<PKCS12, OpensslFree<free_read_file>>;
using ReadSafesPtr = std::unique_ptr<STACK_OF(PKCS7), OpensslFree<free_read_safes>>;
using Pkcs7Ptr = std::unique_ptr<PKCS7, OpensslFree<PKCS7_free>>;
using SafeBagPtr = std::unique_ptr<PKCS12_SAFEBAG, OpensslFree<PKCS12_SAFEBAG_free>>;
using SafeBagsPtr = std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), OpensslFree<free_bags>>;
using SafesPtr = std::unique_ptr<STACK_OF(PKCS7), OpensslFree<free_safes>>;

}  // namespace hsmsigner::pki
