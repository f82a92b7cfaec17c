// OpenSSL's X.509 types as owners, and what crypto/openssl.h offers. Private to this room.
#pragma once

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/openssl.h"

namespace hsmsigner::pki {

using crypto::BignumPtr;
using crypto::BioPtr;
using crypto::CleanErrorQueue;
using crypto::evp_md;
using crypto::EvpPkeyPtr;
using crypto::hash;
using crypto::i2d;
using crypto::octets_of;
using crypto::OpensslBytes;
using crypto::OpensslFree;
using crypto::OpensslText;
using crypto::require;
using crypto::require_pointer;
using crypto::throw_openssl;

using Asn1StringPtr = std::unique_ptr<ASN1_STRING, OpensslFree<ASN1_STRING_free>>;
using Asn1TimePtr = std::unique_ptr<ASN1_TIME, OpensslFree<ASN1_TIME_free>>;
using AuthorityInfoAccessPtr = std::unique_ptr<AUTHORITY_INFO_ACCESS, OpensslFree<AUTHORITY_INFO_ACCESS_free>>;
using AuthorityKeyIdPtr = std::unique_ptr<AUTHORITY_KEYID, OpensslFree<AUTHORITY_KEYID_free>>;
using BasicConstraintsPtr = std::unique_ptr<BASIC_CONSTRAINTS, OpensslFree<BASIC_CONSTRAINTS_free>>;
using ExtendedKeyUsagePtr = std::unique_ptr<EXTENDED_KEY_USAGE, OpensslFree<EXTENDED_KEY_USAGE_free>>;
using GeneralNamePtr = std::unique_ptr<GENERAL_NAME, OpensslFree<GENERAL_NAME_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslFree<GENERAL_NAMES_free>>;
using X509NamePtr = std::unique_ptr<X509_NAME, OpensslFree<X509_NAME_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;

// The content octets of any ASN1_STRING. Valid while the string lives.
ByteView content_of(const ASN1_STRING* string) noexcept;
// An ASN1_STRING of the given V_ASN1_… type with these content octets.
Asn1StringPtr make_string(int type, ByteView content);

}  // namespace hsmsigner::pki
