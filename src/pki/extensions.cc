#include "pki/extensions.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>

#include "base/internet_names.h"
#include "pki/public_key.h"

namespace hsmsigner::pki {
namespace {

constexpr bool kCritical = true;
constexpr bool kNotCritical = false;

// Bits of KeyUsage (RFC 5280 4.2.1.3).
constexpr int kDigitalSignature = 0;
constexpr int kKeyEncipherment = 2;
constexpr int kKeyCertSign = 5;
constexpr int kCrlSign = 6;

[[noreturn]] void refuse(const char* field, const char* why) {
  throw Error(ErrorKind::invalid_object, {std::string(field) + ": " + why});
}

void add(X509* x509, int nid, void* value, bool critical) {
  require(X509_add1_ext_i2d(x509, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT), "X509_add1_ext_i2d");
}

// IA5String, narrowed to what can stand in a host name, an address or a URL.
Asn1StringPtr make_ia5(const char* field, std::string_view value) {
  if (value.empty()) refuse(field, "is empty");
  if (!std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7f; })) {
    refuse(field, "must be printable ASCII without spaces");
  }
  return make_string(V_ASN1_IA5STRING, octets_of(value));
}

// RFC 5280 4.2.1.6: 4 or 16 octets in network order.
Asn1StringPtr make_ip(const std::string& text) {
  const auto address = parse_ip_address(text);
  if (!address) refuse("ip", "is not an IPv4 or IPv6 address");
  return make_string(V_ASN1_OCTET_STRING, *address);
}

GeneralNamePtr make_general_name(int type, Asn1StringPtr value) {
  GeneralNamePtr name = require_pointer(GeneralNamePtr(GENERAL_NAME_new()), "GENERAL_NAME_new");
  GENERAL_NAME_set0_value(name.get(), type, value.release());
  return name;
}

GeneralNamePtr make_general_name(const AlternativeName& name) {
  switch (name.kind) {
    case AlternativeName::Kind::dns: return make_general_name(GEN_DNS, make_ia5("hostname", name.value));
    case AlternativeName::Kind::ip: return make_general_name(GEN_IPADD, make_ip(name.value));
    case AlternativeName::Kind::email: return make_general_name(GEN_EMAIL, make_ia5("email", name.value));
  }
  throw_openssl("unknown kind of alternative name");
}

void add_alternative_names(X509* x509, const std::vector<AlternativeName>& names) {
  if (names.empty()) return;
  const GeneralNamesPtr encoded = require_pointer(GeneralNamesPtr(GENERAL_NAMES_new()), "GENERAL_NAMES_new");
  for (const AlternativeName& name : names) {
    GeneralNamePtr general = make_general_name(name);
    if (sk_GENERAL_NAME_push(encoded.get(), general.get()) <= 0) throw_openssl("sk_GENERAL_NAME_push");
    general.release();
  }
  add(x509, NID_subject_alt_name, encoded.get(), kNotCritical);
}

void add_ocsp_url(X509* x509, const std::string& url) {
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
  add(x509, NID_info_access, access.get(), kNotCritical);
}

void add_basic_constraints(X509* x509, bool authority, std::optional<unsigned> path_length) {
  const BasicConstraintsPtr constraints =
      require_pointer(BasicConstraintsPtr(BASIC_CONSTRAINTS_new()), "BASIC_CONSTRAINTS_new");
  constraints->ca = authority ? 0xff : 0;  // BOOLEAN DEFAULT FALSE: a leaf's is an empty SEQUENCE
  if (path_length) {
    if (!authority) refuse("path_length", "is for a certificate authority only");
    constraints->pathlen = require_pointer(ASN1_INTEGER_new(), "ASN1_INTEGER_new");
    require(ASN1_INTEGER_set_uint64(constraints->pathlen, *path_length), "ASN1_INTEGER_set_uint64");
  }
  add(x509, NID_basic_constraints, constraints.get(), kCritical);
}

void add_key_usage(X509* x509, std::initializer_list<int> bits) {
  const Asn1StringPtr usage = make_string(V_ASN1_BIT_STRING, {});
  for (const int bit : bits) require(ASN1_BIT_STRING_set_bit(usage.get(), bit, 1), "ASN1_BIT_STRING_set_bit");
  add(x509, NID_key_usage, usage.get(), kCritical);
}

void add_extended_key_usage(X509* x509, std::initializer_list<int> purposes) {
  const ExtendedKeyUsagePtr usage =
      require_pointer(ExtendedKeyUsagePtr(EXTENDED_KEY_USAGE_new()), "EXTENDED_KEY_USAGE_new");
  for (const int purpose : purposes) {
    // Static objects: freeing them is a no-op.
    if (sk_ASN1_OBJECT_push(usage.get(), OBJ_nid2obj(purpose)) <= 0) throw_openssl("sk_ASN1_OBJECT_push");
  }
  add(x509, NID_ext_key_usage, usage.get(), kNotCritical);
}

void add_key_identifiers(X509* x509, ByteView subject, ByteView authority) {
  const Asn1StringPtr subject_id = make_string(V_ASN1_OCTET_STRING, subject);
  add(x509, NID_subject_key_identifier, subject_id.get(), kNotCritical);
  const AuthorityKeyIdPtr authority_id =
      require_pointer(AuthorityKeyIdPtr(AUTHORITY_KEYID_new()), "AUTHORITY_KEYID_new");
  authority_id->keyid = make_string(V_ASN1_OCTET_STRING, authority).release();
  add(x509, NID_authority_key_identifier, authority_id.get(), kNotCritical);
}

}  // namespace

Bytes key_identifier(const X509_PUBKEY* key) { return hash(Digest::sha1, public_key_octets(key)); }

Bytes key_identifier_of_issuer(X509* issuer) {
  const ASN1_OCTET_STRING* present = X509_get0_subject_key_id(issuer);
  if (present == nullptr) return key_identifier(X509_get_X509_PUBKEY(issuer));
  const ByteView octets = content_of(present);
  return {octets.begin(), octets.end()};
}

void add_extensions(X509* x509, const CertificateSpec& spec, KeyFamily subject_family, ByteView subject_key_id,
                    ByteView authority_key_id) {
  add_basic_constraints(x509, spec.certificate_authority, spec.path_length);
  if (spec.certificate_authority) {
    add_key_usage(x509, {kDigitalSignature, kKeyCertSign, kCrlSign});
  } else if (subject_family == KeyFamily::rsa) {
    add_key_usage(x509, {kDigitalSignature, kKeyEncipherment});
  } else {
    add_key_usage(x509, {kDigitalSignature});  // keyEncipherment is not for EC keys (RFC 5480 3)
  }
  if (!spec.certificate_authority) add_extended_key_usage(x509, {NID_server_auth, NID_client_auth});
  add_key_identifiers(x509, subject_key_id, authority_key_id);
  add_alternative_names(x509, spec.alternative_names);
  add_ocsp_url(x509, spec.ocsp_url);
}

}  // namespace hsmsigner::pki
