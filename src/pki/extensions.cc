#include "pki/extensions.h"

#include <initializer_list>
#include <string>

#include "crypto/openssl_public_key.h"
#include "pki/alternative_name.h"
#include "pki/refuse.h"

namespace hsmsigner::pki {
namespace {

constexpr bool kCritical = true;
constexpr bool kNotCritical = false;

// Bits of KeyUsage (RFC 5280 4.2.1.3).
constexpr int kDigitalSignature = 0;
constexpr int kKeyEncipherment = 2;
constexpr int kKeyCertSign = 5;
constexpr int kCrlSign = 6;

void add(EncodedExtensions& extensions, int nid, void* value, bool critical) {
  STACK_OF(X509_EXTENSION)* list = extensions.release();
  const int result = X509V3_add1_i2d(&list, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT);
  extensions.reset(list);
  require(result, "X509V3_add1_i2d");
}

void add_alternative_names(EncodedExtensions& extensions, const std::vector<AlternativeName>& names) {
  if (names.empty()) return;
  add(extensions, NID_subject_alt_name, make_general_names(names).get(), kNotCritical);
}

void add_ocsp_url(EncodedExtensions& extensions, const std::string& url) {
  if (url.empty()) return;
  const AuthorityInfoAccessPtr access =
      require_pointer(AuthorityInfoAccessPtr(AUTHORITY_INFO_ACCESS_new()), "AUTHORITY_INFO_ACCESS_new");
  Asn1StringPtr location = make_ia5("ocsp_responder_url", url);
  ACCESS_DESCRIPTION* description = require_pointer(ACCESS_DESCRIPTION_new(), "ACCESS_DESCRIPTION_new");
  if (sk_ACCESS_DESCRIPTION_push(access.get(), description) <= 0) {
    ACCESS_DESCRIPTION_free(description);
    throw_openssl("sk_ACCESS_DESCRIPTION_push");
  }
  ASN1_OBJECT_free(description->method);
  description->method = OBJ_nid2obj(NID_ad_OCSP);
  GENERAL_NAME_set0_value(description->location, GEN_URI, location.release());
  add(extensions, NID_info_access, access.get(), kNotCritical);
}

void add_basic_constraints(EncodedExtensions& extensions, bool authority, std::optional<unsigned> path_length) {
  const BasicConstraintsPtr constraints =
      require_pointer(BasicConstraintsPtr(BASIC_CONSTRAINTS_new()), "BASIC_CONSTRAINTS_new");
  constraints->ca = authority ? 0xff : 0;  // BOOLEAN DEFAULT FALSE: a leaf's is an empty SEQUENCE
  if (path_length) {
    if (!authority) refuse("path_length", "is for a certificate authority only");
    constraints->pathlen = require_pointer(ASN1_INTEGER_new(), "ASN1_INTEGER_new");
    require(ASN1_INTEGER_set_uint64(constraints->pathlen, *path_length), "ASN1_INTEGER_set_uint64");
  }
  add(extensions, NID_basic_constraints, constraints.get(), kCritical);
}

void add_key_usage(EncodedExtensions& extensions, std::initializer_list<int> bits) {
  const Asn1StringPtr usage = make_string(V_ASN1_BIT_STRING, {});
  for (const int bit : bits) require(ASN1_BIT_STRING_set_bit(usage.get(), bit, 1), "ASN1_BIT_STRING_set_bit");
  add(extensions, NID_key_usage, usage.get(), kCritical);
}

void add_extended_key_usage(EncodedExtensions& extensions, std::initializer_list<int> purposes) {
  const ExtendedKeyUsagePtr usage =
      require_pointer(ExtendedKeyUsagePtr(EXTENDED_KEY_USAGE_new()), "EXTENDED_KEY_USAGE_new");
  for (const int purpose : purposes) {
    // Static objects: freeing them is a no-op.
    if (sk_ASN1_OBJECT_push(usage.get(), OBJ_nid2obj(purpose)) <= 0) throw_openssl("sk_ASN1_OBJECT_push");
  }
  add(extensions, NID_ext_key_usage, usage.get(), kNotCritical);
}

void add_usages(EncodedExtensions& extensions, bool authority, KeyFamily subject_family) {
  if (authority) {
    add_key_usage(extensions, {kDigitalSignature, kKeyCertSign, kCrlSign});
  } else if (subject_family == KeyFamily::rsa) {
    add_key_usage(extensions, {kDigitalSignature, kKeyEncipherment});
  } else {
    add_key_usage(extensions, {kDigitalSignature});  // keyEncipherment is not for EC keys (RFC 5480 3)
  }
  if (!authority) add_extended_key_usage(extensions, {NID_server_auth, NID_client_auth});
}

void add_key_identifiers(EncodedExtensions& extensions, ByteView subject, ByteView authority) {
  const Asn1StringPtr subject_id = make_string(V_ASN1_OCTET_STRING, subject);
  add(extensions, NID_subject_key_identifier, subject_id.get(), kNotCritical);
  const AuthorityKeyIdPtr authority_id =
      require_pointer(AuthorityKeyIdPtr(AUTHORITY_KEYID_new()), "AUTHORITY_KEYID_new");
  authority_id->keyid = make_string(V_ASN1_OCTET_STRING, authority).release();
  add(extensions, NID_authority_key_identifier, authority_id.get(), kNotCritical);
}

}  // namespace

void free_extensions(STACK_OF(X509_EXTENSION) * extensions) noexcept {
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

Bytes key_identifier(const X509_PUBKEY* key) { return hash(Digest::sha1, crypto::public_key_octets(key)); }

Bytes key_identifier_of_issuer(X509* issuer) {
  const ASN1_OCTET_STRING* present = X509_get0_subject_key_id(issuer);
  if (present == nullptr) return key_identifier(X509_get_X509_PUBKEY(issuer));
  const ByteView octets = content_of(present);
  return {octets.begin(), octets.end()};
}

EncodedExtensions make_requested_extensions(const RequestedExtensions& wanted, KeyFamily subject_family) {
  EncodedExtensions extensions;
  add_basic_constraints(extensions, wanted.certificate_authority, wanted.path_length);
  add_usages(extensions, wanted.certificate_authority, subject_family);
  add_alternative_names(extensions, wanted.alternative_names);
  return extensions;
}

EncodedExtensions make_certificate_extensions(const CertificateSpec& spec, KeyFamily subject_family,
                                              ByteView subject_key_id, ByteView authority_key_id) {
  EncodedExtensions extensions;
  add_basic_constraints(extensions, spec.certificate_authority, spec.path_length);
  add_usages(extensions, spec.certificate_authority, subject_family);
  add_key_identifiers(extensions, subject_key_id, authority_key_id);
  add_alternative_names(extensions, spec.alternative_names);
  add_ocsp_url(extensions, spec.ocsp_url);
  return extensions;
}

}  // namespace hsmsigner::pki
