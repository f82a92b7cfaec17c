#include "pki/certificate.h"

#include <openssl/pem.h>

#include <ctime>
#include <limits>

#include "crypto/openssl_public_key.h"
#include "pki/alternative_name.h"
#include "pki/certificate_impl.h"
#include "pki/library_context.h"
#include "pki/name.h"
#include "pki/pem_blocks.h"

namespace hsmsigner::pki {
namespace {

[[noreturn]] void throw_no_certificate() {
  throw Error(ErrorKind::invalid_object, {"these octets are not an X.509 certificate"});
}

UnixTime to_unix_time(const ASN1_TIME* time) {
  std::tm utc{};
  require(ASN1_TIME_to_tm(time, &utc), "ASN1_TIME_to_tm");
  return UnixTime(std::chrono::seconds(::timegm(&utc)));
}

// Instead of OpenSSL's own, which asks at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

// Most certificates do not, and are known by it without what OpenSSL gathers of all extensions, a digest included.
bool claims_authority(X509* x509) {
  const BasicConstraintsPtr constraints(
      static_cast<BASIC_CONSTRAINTS*>(X509_get_ext_d2i(x509, NID_basic_constraints, nullptr, nullptr)));
  return constraints && constraints->ca != 0;
}

X509Ptr parse_in(OSSL_LIB_CTX* context, ByteView der) {
  if (der.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return nullptr;
  const unsigned char* begin = der.data();
  X509* x509 = require_pointer(X509_new_ex(context, nullptr), "X509_new_ex");
  // Frees what it was given when it fails.
  X509Ptr parsed(d2i_X509(&x509, &begin, static_cast<long>(der.size())));
  if (parsed && begin != der.data() + der.size()) return nullptr;
  return parsed;
}

}  // namespace

X509Ptr parse_x509(ByteView der) { return parse_in(nullptr, der); }

X509Ptr parse_structure(ByteView der) { return parse_in(structure_library_context(), der); }

X509* Certificate::Impl::with_key() const {
  if (!certified_) return x509_.get();
  std::call_once(once_, [this] { with_key_ = require_pointer(parse_x509(der_), "d2i_X509"); });
  return with_key_.get();
}

PublicKey Certificate::Impl::public_key() const {
  return certified_ ? *certified_ : crypto::read_public_key(X509_get_X509_PUBKEY(x509_.get()));
}

Certificate Certificate::from_der(ByteView der) {
  const CleanErrorQueue clean;
  X509Ptr x509 = parse_x509(der);
  if (!x509) throw_no_certificate();
  return Certificate(std::make_shared<const Impl>(std::move(x509), Bytes(der.begin(), der.end())));
}

Certificate Certificate::from_pem(std::string_view pem) {
  const CleanErrorQueue clean;
  if (pem.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) throw_no_certificate();
  const BioPtr bio =
      require_pointer(BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))), "BIO_new_mem_buf");
  unsigned char* octets = nullptr;
  long size = 0;
  if (PEM_bytes_read_bio(&octets, &size, nullptr, PEM_STRING_X509, bio.get(), no_passphrase, nullptr) != 1) {
    throw_no_certificate();
  }
  const OpensslBytes owner(octets);
  return from_der({octets, static_cast<std::size_t>(size)});
}

Bytes Certificate::der() const { return impl_->der(); }

std::string Certificate::pem() const { return to_pem("CERTIFICATE", impl_->der()); }

std::string Certificate::subject() const {
  const CleanErrorQueue clean;
  return one_line(X509_get_subject_name(impl_->x509()));
}

std::string Certificate::issuer() const {
  const CleanErrorQueue clean;
  return one_line(X509_get_issuer_name(impl_->x509()));
}

std::string Certificate::subject_hash_old() const {
  const CleanErrorQueue clean;
  return hash_old(X509_get_subject_name(impl_->x509()));
}

std::string Certificate::issuer_hash_old() const {
  const CleanErrorQueue clean;
  return hash_old(X509_get_issuer_name(impl_->x509()));
}

std::string Certificate::common_name() const {
  const CleanErrorQueue clean;
  const X509_NAME* name = X509_get_subject_name(impl_->x509());
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0;) last = at;
  if (last < 0) return {};
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
  if (size < 0) return {};
  const OpensslBytes owner(utf8);
  return {utf8, utf8 + size};
}

std::optional<Digest> Certificate::signature_digest() const {
  int digest_nid = NID_undef;
  if (OBJ_find_sigid_algs(X509_get_signature_nid(impl_->x509()), &digest_nid, nullptr) != 1) return std::nullopt;
  for (const DigestAlgorithmInfo& row : digests()) {
    if (EVP_MD_get_type(evp_md(row.digest)) == digest_nid) return row.digest;
  }
  return std::nullopt;
}

UnixTime Certificate::not_before() const {
  const CleanErrorQueue clean;
  return to_unix_time(X509_get0_notBefore(impl_->x509()));
}

UnixTime Certificate::not_after() const {
  const CleanErrorQueue clean;
  return to_unix_time(X509_get0_notAfter(impl_->x509()));
}

std::string Certificate::serial_number() const {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(impl_->x509());
  // RFC 5280 4.1.2.2 forbids negative numbers and asks readers to cope with them; ASN1_INTEGER holds the magnitude.
  const std::string sign = ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" : "";
  return sign + to_upper_hex(content_of(serial));
}

std::string Certificate::fingerprint_sha256() const {
  const CleanErrorQueue clean;
  return to_colon_hex(hash(Digest::sha256, impl_->der()));
}

std::vector<AlternativeName> Certificate::alternative_names() const {
  const CleanErrorQueue clean;
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(impl_->x509(), NID_subject_alt_name, nullptr, nullptr)));
  return to_alternative_names(names.get());
}

bool Certificate::is_certificate_authority() const {
  const CleanErrorQueue clean;
  if (!claims_authority(impl_->x509())) return false;
  const std::uint32_t flags = X509_get_extension_flags(impl_->with_key());
  if ((flags & EXFLAG_INVALID) != 0 || (flags & EXFLAG_CA) == 0) return false;
  // All bits are set when there is no keyUsage, which then restricts nothing (RFC 5280 6.1.4 (n)).
  return (X509_get_key_usage(impl_->with_key()) & KU_KEY_CERT_SIGN) != 0;
}

std::optional<unsigned> Certificate::path_length() const {
  const CleanErrorQueue clean;
  const long length = X509_get_pathlen(impl_->with_key());
  if (length < 0) return std::nullopt;
  return static_cast<unsigned>(length);
}

bool Certificate::is_self_issued() const {
  const CleanErrorQueue clean;
  X509* x509 = impl_->x509();
  return X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
}

PublicKey Certificate::public_key() const {
  const CleanErrorQueue clean;
  return impl_->public_key();
}

bool Certificate::verifies_with(const PublicKey& issuer_key) const {
  const CleanErrorQueue clean;
  const EvpPkeyPtr key = crypto::to_evp_pkey(issuer_key);
  return X509_verify(impl_->with_key(), key.get()) == 1;
}

}  // namespace hsmsigner::pki
