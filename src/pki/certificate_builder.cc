#include "pki/certificate_builder.h"

#include <algorithm>
#include <memory>
#include <string>

#include "crypto/ec_group.h"
#include "crypto/openssl_public_key.h"
#include "pki/certificate_impl.h"
#include "pki/extensions.h"
#include "pki/name.h"
#include "pki/openssl.h"
#include "pki/refuse.h"
#include "pki/signed_structure.h"

namespace hsmsigner::pki {
namespace {

constexpr std::size_t kMaxSerialOctets = 20;  // RFC 5280 4.1.2.2

[[noreturn]] void fail(const char* cause, SourcePlace where = SourcePlace::here()) {
  throw Error(ErrorKind::internal_error, {}, where).with_cause(cause);
}

void set_serial(X509* x509, ByteView serial) {
  if (serial.empty() || serial.size() > kMaxSerialOctets) refuse("serial", "must have 1 to 20 octets");
  const bool zero = std::ranges::all_of(serial, [](std::uint8_t octet) { return octet == 0; });
  if (zero || (serial.front() & 0x80) != 0) refuse("serial", "must be positive");
  const BignumPtr number =
      require_pointer(BignumPtr(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr)), "BN_bin2bn");
  require_pointer(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)), "BN_to_ASN1_INTEGER");
}

// UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5), which is how ASN1_TIME_set chooses. It would also
// write a year of five digits, which no reader takes.
Asn1TimePtr to_asn1_time(const char* field, UnixTime time) {
  using namespace std::chrono;
  if (time >= sys_days{year{10000} / January / 1}) refuse(field, "cannot be expressed in a certificate");
  Asn1TimePtr encoded(ASN1_TIME_set(nullptr, static_cast<time_t>(time.time_since_epoch().count())));
  if (!encoded) refuse(field, "cannot be expressed in a certificate");
  return encoded;
}

void set_validity(X509* x509, UnixTime not_before, UnixTime not_after) {
  if (not_after < not_before) refuse("not_after", "is before the beginning of the validity");
  require(X509_set1_notBefore(x509, to_asn1_time("not_before", not_before).get()), "X509_set1_notBefore");
  require(X509_set1_notAfter(x509, to_asn1_time("not_after", not_after).get()), "X509_set1_notAfter");
}

// Everything but the signature.
X509Ptr make_unsigned(const CertificateSpec& spec, const PublicKey& subject_key, X509* issuer) {
  X509Ptr x509 = require_pointer(X509Ptr(X509_new()), "X509_new");
  require(X509_set_version(x509.get(), X509_VERSION_3), "X509_set_version");
  set_serial(x509.get(), spec.serial);
  set_validity(x509.get(), spec.not_before, spec.not_after);

  const X509NamePtr subject = make_name(spec.subject);
  require(X509_set_subject_name(x509.get(), subject.get()), "X509_set_subject_name");
  // Keeps the octets that were parsed, so that name chaining holds for any encoding (RFC 5280 4.1.2.4).
  const X509_NAME* issuer_name = issuer != nullptr ? X509_get_subject_name(issuer) : subject.get();
  require(X509_set_issuer_name(x509.get(), issuer_name), "X509_set_issuer_name");

  X509_PUBKEY* key = X509_get_X509_PUBKEY(x509.get());
  crypto::write_public_key(key, subject_key);
  const Bytes subject_key_id = key_identifier(key);
  const EncodedExtensions extensions =
      make_certificate_extensions(spec, family_of(subject_key), subject_key_id,
                                  issuer != nullptr ? key_identifier_of_issuer(issuer) : subject_key_id);
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions.get()); ++i) {
    require(X509_add_ext(x509.get(), sk_X509_EXTENSION_value(extensions.get(), i), -1), "X509_add_ext");
  }
  return x509;
}

Bytes encode_to_be_signed(X509* x509) {
  return i2d([&](unsigned char** out) { return i2d_re_X509_tbs(x509, out); });
}

// What a decoder would find out, before anything is signed. The key is not decoded from the certificate itself, which
// holds just these octets.
void check_subject_key(const PublicKey& key) {
  if (const auto* ec = std::get_if<EcPublicKey>(&key)) {
    if (!crypto::is_point_of_curve(*ec)) fail("the subject's public key is not a point of its curve");
  } else {
    crypto::to_evp_pkey(key);  // throws
  }
}

// What a relying party will do with it: parse, and verify the signature as the certificate itself says it was made.
X509Ptr parse_and_verify(ByteView der, ByteView to_be_signed, EVP_PKEY* issuer_key, Digest digest,
                         ByteView digest_value) {
  X509Ptr x509 = parse_structure(der);
  if (!x509) throw_openssl("the assembled certificate does not parse");
  if (!std::ranges::equal(encode_to_be_signed(x509.get()), to_be_signed)) {
    fail("the parsed certificate is not the one that was signed");
  }
  const ASN1_BIT_STRING* signature = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(&signature, &algorithm, x509.get());
  if (X509_ALGOR_cmp(algorithm, X509_get0_tbs_sigalg(x509.get())) != 0) fail("two signature algorithms");
  if (issuer_key == nullptr || !crypto::verifies(issuer_key, digest, digest_value, content_of(signature))) {
    fail("the signature does not verify");
  }
  return x509;
}

}  // namespace

Certificate build_certificate(const CertificateSpec& spec, const PublicKey& subject_key, const Certificate* issuer,
                              Signer& signer, Deadline deadline) {
  const CleanErrorQueue clean;
  if (signer.public_key() != (issuer != nullptr ? issuer->public_key() : subject_key)) {
    fail("the signer's key is not the issuer's");
  }
  check_can_sign(signer, spec.digest);
  check_subject_key(subject_key);
  X509* issuer_x509 = issuer != nullptr ? issuer->impl().with_key() : nullptr;

  const X509Ptr draft = make_unsigned(spec, subject_key, issuer_x509);
  // OpenSSL hands the algorithm out as const because only its own signing functions, which want a private EVP_PKEY,
  // are meant to set it; the object is ours and not const.
  auto* algorithm = const_cast<X509_ALGOR*>(X509_get0_tbs_sigalg(draft.get()));
  set_signature_algorithm(algorithm, family_of(signer.public_key()), spec.digest);

  const Bytes to_be_signed = encode_to_be_signed(draft.get());
  const Bytes digest_value = hash(spec.digest, to_be_signed);
  const Bytes signature = signer.sign(spec.digest, digest_value, deadline);

  Bytes der = assemble_signed(to_be_signed, algorithm, signature);
  const EvpPkeyPtr own_key = issuer == nullptr ? crypto::to_evp_pkey(subject_key) : nullptr;
  EVP_PKEY* issuer_key = issuer_x509 != nullptr ? X509_get0_pubkey(issuer_x509) : own_key.get();
  X509Ptr x509 = parse_and_verify(der, to_be_signed, issuer_key, spec.digest, digest_value);
  return Certificate(std::make_shared<const Certificate::Impl>(std::move(x509), std::move(der), subject_key));
}

}  // namespace hsmsigner::pki
